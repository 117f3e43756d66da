import type { EntityDraft } from '../src/core/admin/entities.ts'
import { DEFAULT_SLOTS, type Limit } from '../src/core/model/limit.ts'
import { DEFAULT_RESOURCE, type LimitOwner, policyLimitSet } from '../src/core/model/limit-set.ts'
import type { ModelDraft } from '../src/core/model/model.ts'
import { type PolicyScope, policyKeyOf } from '../src/core/model/policy.ts'
import type { Prices } from '../src/core/model/prices.ts'
import { HOUR_SECONDS, MINUTE_SECONDS } from '../src/core/model/time.ts'

export interface DemoLimits {
  readonly owner: LimitOwner
  readonly resource: string
  readonly limits: readonly Limit[]
}

/** The contents of a demo. */
export interface DemoData {
  /** Parents before their children. */
  readonly entities: readonly EntityDraft[]
  /** Entities with a key whose secret is their id. */
  readonly keysOf: readonly string[]
  readonly models: readonly (ModelDraft & { readonly id: string })[]
  readonly limits: readonly DemoLimits[]
}

const perMinute = (name: string, meter: Limit['meter'], capacity: number): Limit => ({
  name,
  meter,
  size: { algorithm: 'token_bucket', capacity, refillRate: capacity / MINUTE_SECONDS },
})

const rpmAndTpm = (owner: LimitOwner, rpm: number, tpm: number): DemoLimits => ({
  owner,
  resource: DEFAULT_RESOURCE,
  limits: [perMinute('rpm', 'requests', rpm), perMinute('tpm', 'tokens', tpm)],
})

/** `selector` as in the API's path. */
const perHour = (scope: PolicyScope, selector: string, limit: number): DemoLimits => ({
  ...policyLimitSet(policyKeyOf(scope, selector)),
  limits: [
    {
      name: 'rph',
      meter: 'requests',
      size: { algorithm: 'sliding_window', limit, windowSeconds: HOUR_SECONDS, slots: DEFAULT_SLOTS },
    },
  ],
})

/** Per million tokens, so that budgets apply to the demo's models. */
const dollars = (input: number, output: number, cachedInput?: number): Prices => ({
  inputPerMillion: input,
  outputPerMillion: output,
  ...(cachedInput !== undefined && { cachedInputPerMillion: cachedInput }),
})

const entity = (id: string): LimitOwner => ({ kind: 'entity', id })

const role = (name: string): LimitOwner => ({ kind: 'role', role: name })

export const demoData: DemoData = {
  entities: [
    { id: 'proj-demo', name: 'Demo project', kind: 'project' },
    { id: 'key-alice', name: 'Alice', kind: 'key', parentId: 'proj-demo' },
    { id: 'key-bob', name: 'Bob', kind: 'key', parentId: 'proj-demo' },
    { id: 'key-charlie', name: 'Charlie', kind: 'key', parentId: 'proj-demo' },
    { id: 'enterprise_co', name: 'Enterprise Co', kind: 'tenant' },
    { id: 'ent-user-1', name: 'Enterprise user 1', kind: 'user', parentId: 'enterprise_co' },
    { id: 'ent-user-2', name: 'Enterprise user 2', kind: 'user', parentId: 'enterprise_co' },
    { id: 'free_co', name: 'Free Co', kind: 'tenant' },
    { id: 'free-co-key', name: "Free Co's key", kind: 'key', parentId: 'free_co' },
    { id: 'free-user-1', name: 'Free user 1', kind: 'user', parentId: 'free_co' },
  ],
  keysOf: ['key-alice', 'key-bob', 'key-charlie', 'free-co-key'],
  models: [
    { id: 'gpt-4', tier: 'premium', prices: dollars(30, 60) },
    { id: 'gpt-4o', tier: 'premium', prices: dollars(2.5, 10, 1.25) },
    { id: 'gpt-4o-mini', tier: 'standard', prices: dollars(0.15, 0.6, 0.075) },
    { id: 'gpt-3.5-turbo', tier: 'standard', prices: dollars(0.5, 1.5) },
    { id: 'tiny-model', tier: 'free', prices: dollars(0.05, 0.1) },
  ],
  limits: [
    rpmAndTpm(entity('proj-demo'), 50, 10_000),
    rpmAndTpm(entity('key-alice'), 30, 3000),
    rpmAndTpm(entity('key-bob'), 10, 1000),
    rpmAndTpm(entity('key-charlie'), 20, 2000),
    rpmAndTpm(role('admin'), 500, 100_000),
    rpmAndTpm(role('user'), 60, 10_000),
    rpmAndTpm(role('service'), 30, 5000),
    perHour('USER_MODEL', 'ent-user-2/gpt-4o', 10),
    perHour('API_KEY', 'free-co-key', 20),
    perHour('TENANT', 'enterprise_co', 500),
    perHour('TENANT', 'free_co', 50),
    perHour('MODEL_TIER', 'premium', 1000),
    perHour('MODEL_TIER', 'standard', 100),
    perHour('MODEL_TIER', 'free', 10),
    perHour('GLOBAL', '*', 1_000_000),
  ],
}
