import { newEntity } from '../../src/core/admin/entities.ts'
import type { Alert, AlertEvent } from '../../src/core/model/alert.ts'
import type { Entity } from '../../src/core/model/entity.ts'
import type { ApiKey } from '../../src/core/model/key.ts'
import type { Limit } from '../../src/core/model/limit.ts'
import type { LimitSetKey } from '../../src/core/model/limit-set.ts'
import { DEFAULT_MAX_OUTPUT_TOKENS, type Model } from '../../src/core/model/model.ts'
import { DEFAULT_TIMEOUTS, type Upstream } from '../../src/core/model/upstream.ts'
import type { AuditRecord } from '../../src/core/ports/admin-store.ts'

/** The current time in tests: ns since the epoch. */
export const TODAY = 1_790_000_000n * 1_000_000_000n
export const HOUR_NS = 3_600n * 1_000_000_000n

let made = 0
/** An id that no other test has. */
export const fresh = (word: string): string => `${word}-${++made}`

export const anEntity = (fields: Partial<Entity> & Pick<Entity, 'id'>): Entity => ({
  ...newEntity({ id: fields.id, name: `Name of ${fields.id}`, kind: 'user' }, TODAY),
  createdAt: TODAY + 123_456_789n,
  ...fields,
})

export const aKey = (fields: Partial<ApiKey> & Pick<ApiKey, 'keyId' | 'entityId'>): ApiKey => ({
  name: 'laptop',
  prefix: 'zael_abc',
  status: 'active',
  expiresAt: null,
  createdAt: TODAY,
  ...fields,
})

export const aModel = (fields: Partial<Model> & Pick<Model, 'id'>): Model => ({
  tier: null,
  prices: null,
  tokenWeights: null,
  upstreams: [],
  maxOutputTokens: DEFAULT_MAX_OUTPUT_TOKENS,
  createdAt: TODAY,
  version: TODAY,
  ...fields,
})

export const anUpstream = (fields: Partial<Upstream> & Pick<Upstream, 'name'>): Upstream => ({
  kind: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  region: null,
  signingService: null,
  secret: null,
  headers: {},
  timeouts: DEFAULT_TIMEOUTS,
  adaptive: null,
  createdAt: TODAY,
  version: TODAY,
  ...fields,
})

export const WEBHOOK = { url: 'https://hooks.example.com/zael', secret: 'env:ALERT_SECRET_OPS' } as const

export const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:alerts'

export const anAlert = (fields: Partial<Alert> & Pick<Alert, 'name'>): Alert => ({
  entityId: null,
  policy: null,
  limitName: null,
  shares: [0.8, 1],
  target: { kind: 'webhook', ...WEBHOOK },
  createdAt: TODAY,
  changedAt: TODAY,
  version: TODAY,
  ...fields,
})

/** An event that has not been sent. */
export const anAlertEvent = (fields: Partial<AlertEvent> = {}): AlertEvent => ({
  id: fresh('alert'),
  alert: 'ops',
  bucket: `ENTITY#${fresh('team')}#_total_`,
  entityId: 'team',
  policy: null,
  resource: '_total_',
  limitName: 'usd_month',
  meter: 'cost_usd_micros',
  share: 0.8,
  window: { start: TODAY, end: TODAY + 30n * 24n * HOUR_NS },
  used: 80_100_000,
  capacity: 100_000_000,
  at: TODAY,
  state: 'pending',
  attempts: 0,
  dueAt: TODAY,
  reason: null,
  endedAt: null,
  ...fields,
})

export const anAudit = (fields: Partial<AuditRecord> = {}): AuditRecord => ({
  id: fresh('audit'),
  at: TODAY,
  actor: 'admin',
  action: 'entity.create',
  subject: fresh('subject'),
  before: null,
  after: null,
  ...fields,
})

export const RPM: Limit = {
  name: 'rpm',
  meter: 'requests',
  size: { algorithm: 'token_bucket', capacity: 1000, refillRate: 16.666666666666668 },
}
export const BUDGET: Limit = {
  name: 'budget',
  meter: 'cost_usd_micros',
  size: { algorithm: 'token_bucket', capacity: 1_000_000_000, refillRate: 11574.074074074075 },
  refund: 'full',
  onUnavailable: 'local',
}

export const ofEntity = (id: string, resource: string): LimitSetKey => ({
  owner: { kind: 'entity', id },
  resource,
})
