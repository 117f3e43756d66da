import { type BucketId, entityBucket, policyBucket } from '../../core/bucket/bucket-store.ts'
import type { ReachedShare } from '../../core/model/alert.ts'
import {
  type LimitOwner,
  type LimitSetKey,
  policyLimitSet,
  TOTAL_RESOURCE,
} from '../../core/model/limit-set.ts'
import { POLICY_SCOPES, type PolicyKey } from '../../core/model/policy.ts'

/**
 * The only file that defines the keys of the table. No id contains a `#`, so keys can be parsed unambiguously.
 */
export interface TableKey {
  readonly PK: string
  readonly SK: string
}

/** The sparse index: entities, models, upstreams, policies, limits of roles, alerts and their events, and audit records by subject. */
export const INDEX = { name: 'GSI1', hash: 'GSI1PK', range: 'GSI1SK' } as const
export const KEY_ATTRIBUTES = ['PK', 'SK'] as const
export const INDEX_ATTRIBUTES = [INDEX.hash, INDEX.range] as const

/** Prefixes of sort keys, for queries within one partition. */
export const SORT = {
  bucket: 'BUCKET#',
  child: 'CHILD#',
  key: 'KEY#',
  limits: 'LIMITS#',
  limitsOfAnyOwner: 'LIMITS',
  usageHour: 'USAGE#hour#',
} as const

/** Partitions of the index. */
export const INDEXED = {
  entities: 'ENTITIES',
  models: 'MODELS',
  upstreams: 'UPSTREAMS',
  policies: 'POLICIES',
  alerts: 'ALERTS',
  roles: 'ROLES',
  pendingAlertEvents: 'ALERT_EVENTS#pending',
  endedAlertEvents: 'ALERT_EVENTS#ended',
} as const

/** No item has this key. It is read for the time of the store in the response. */
export const NOWHERE: TableKey = { PK: 'CLOCK', SK: 'CLOCK' }

export const entityPartition = (entityId: string): string => `ENTITY#${entityId}`

const POLICY_PREFIX = 'POLICY#'
const policyRange = ({ scope, selector }: PolicyKey): string => `${scope}#${selector}`
const policyPartition = (key: PolicyKey): string => `${POLICY_PREFIX}${policyRange(key)}`

/** The policy of a partition; undefined if it belongs to something else. */
export const policyOf = (partitionKey: string): PolicyKey | undefined => {
  if (!partitionKey.startsWith(POLICY_PREFIX)) return undefined
  const [, word, selector] = POLICY_RANGE.exec(afterPrefix(partitionKey, POLICY_PREFIX)) ?? []
  const scope = POLICY_SCOPES.find((each) => each === word)
  return scope === undefined || selector === undefined ? undefined : { scope, selector }
}
const POLICY_RANGE = /^([A-Z_]+)#(.+)$/

export const bucketTableKey = (id: BucketId): TableKey =>
  id.kind === 'entity'
    ? { PK: entityPartition(id.entityId), SK: `${SORT.bucket}${id.resource}` }
    : { PK: policyPartition(id), SK: POLICY_BUCKET }

/** A policy has one bucket, for all resources. */
const POLICY_BUCKET = 'BUCKET'

export const entityKey = (entityId: string): TableKey => ({ PK: entityPartition(entityId), SK: 'META' })

export const childKey = (parentId: string, childId: string): TableKey => ({
  PK: entityPartition(parentId),
  SK: `${SORT.child}${childId}`,
})

export const entityApiKeyKey = (entityId: string, keyId: string): TableKey => ({
  PK: entityPartition(entityId),
  SK: `${SORT.key}${keyId}`,
})

/** The part after the first `#` of a partition key: the id of an entity or a model, or the name of an upstream. */
export const idOf = (partitionKey: string): string => partitionKey.slice(partitionKey.indexOf('#') + 1)

/** `secretHash`: SHA-256, lower-case hexadecimal. */
export const secretKey = (secretHash: string): TableKey => ({ PK: `KEY#${secretHash}`, SK: 'META' })

export const modelKey = (modelId: string): TableKey => ({ PK: `MODEL#${modelId}`, SK: 'META' })

export const upstreamKey = (name: string): TableKey => ({ PK: `UPSTREAM#${name}`, SK: 'META' })

export const alertKey = (name: string): TableKey => ({ PK: `ALERT#${name}`, SK: 'META' })

/** `windowStart`: ISO 8601 with nanoseconds. The sort key is the name of the alert: each alert reports a share by itself. */
export const alertEventKey = (
  { bucket, limitName, share, alert }: Pick<ReachedShare, 'bucket' | 'limitName' | 'share' | 'alert'>,
  windowStart: string,
): TableKey => ({ PK: `ALERT#${bucket}#${limitName}#${windowStart}#${share}`, SK: alert })

export const ownerPartition = (owner: LimitOwner): string => {
  switch (owner.kind) {
    case 'entity':
      return entityPartition(owner.id)
    case 'role':
      return `ROLE#${owner.role}`
    case 'system':
      return 'SYSTEM'
    case 'policy':
      return policyPartition(owner)
  }
}

/** A policy has one set of limits, on `_total_`, which its key omits. */
const POLICY_LIMITS = 'LIMITS'

export const limitSetTableKey = ({ owner, resource }: LimitSetKey): TableKey => ({
  PK: ownerPartition(owner),
  SK: owner.kind === 'policy' ? POLICY_LIMITS : `${SORT.limits}${resource}`,
})

/** The resource of a set of limits, by its sort key; undefined for other items. */
export const limitedResourceOf = (sortKey: string): string | undefined => {
  if (sortKey === POLICY_LIMITS) return TOTAL_RESOURCE
  return sortKey.startsWith(SORT.limits) ? afterPrefix(sortKey, SORT.limits) : undefined
}

/** The keys of the limits of a policy, in the index of all policies. */
export const policyIndexKey = (key: PolicyKey) => ({
  ...limitSetTableKey(policyLimitSet(key)),
  GSI1PK: INDEXED.policies,
  GSI1SK: policyRange(key),
})

/** The keys of a set of limits of a role, in the index of all of them. */
export const roleIndexKey = (role: string, resource: string) => ({
  GSI1PK: INDEXED.roles,
  GSI1SK: `${role}#${resource}`,
})

/** The role in such a key. */
export const roleInIndexKey = (sortKey: string): string => sortKey.slice(0, sortKey.indexOf('#'))

/** `hourStart`: seconds since the epoch; `born`: ns since the epoch. */
export const usageHourKey = (
  entityId: string,
  hourStart: number,
  resource: string,
  born: bigint,
): TableKey => ({
  PK: entityPartition(entityId),
  SK: `${SORT.usageHour}${padded(hourStart)}#${resource}#${born}`,
})

/** The parts of the sort key of an hour of usage; undefined for other items. */
export const usageHourOf = (
  sortKey: string,
): { readonly hourStart: number; readonly resource: string; readonly born: bigint } | undefined => {
  const [, start, resource, born] = USAGE_HOUR.exec(sortKey) ?? []
  if (start === undefined || resource === undefined || born === undefined) return undefined
  return { hourStart: Number(start), resource, born: BigInt(born) }
}
const USAGE_HOUR = /^USAGE#hour#(\d{10})#([^#]+)#(\d+)$/

/** Bounds of the sort keys of hours in [from, to): seconds since the epoch. */
export const usageHoursBetween = (from: number, to: number): readonly [low: string, high: string] => [
  `${SORT.usageHour}${padded(from)}`,
  `${SORT.usageHour}${padded(to)}`,
]

/** Ten digits sort as text until the year 2286. */
const padded = (seconds: number): string => String(seconds).padStart(10, '0')

/** `day`: `2026-01-31`; `time`: ISO 8601 with nanoseconds, so that records of a day sort by time. */
export const auditKey = (day: string, time: string, id: string): TableKey => ({
  PK: auditPartition(day),
  SK: `${time}#${id}`,
})
export const auditPartition = (day: string): string => `AUDIT#${day}`
/** The partition of the index with all records of one subject. */
export const auditSubjectPartition = (subject: string): string => `AUDIT#${subject}`

export const reservationKey = (id: string): TableKey => ({ PK: `RESERVATION#${id}`, SK: 'META' })

/** `keyHash`: SHA-256, lower-case hexadecimal. */
export const idempotencyKey = (callerId: string, keyHash: string): TableKey => ({
  PK: `IDEMPOTENCY#${callerId}#${keyHash}`,
  SK: 'META',
})

/** `id`: that of a response of `/v1/responses`. */
export const modelResponseKey = (entityId: string, id: string): TableKey => ({
  PK: `RESPONSE#${entityId}#${id}`,
  SK: 'META',
})

/** The part after the prefix of a sort key. */
export const afterPrefix = (sortKey: string, prefix: string): string => sortKey.slice(prefix.length)

/** The bucket of an item, by its key; undefined for other items. */
export const bucketOf = (partitionKey: string, sortKey: string): BucketId | undefined => {
  const ofEntity = entityBucketOf(partitionKey, sortKey)
  if (ofEntity !== undefined) return entityBucket(ofEntity.entityId, ofEntity.resource)
  const policy = sortKey === POLICY_BUCKET ? policyOf(partitionKey) : undefined
  return policy && policyBucket(policy)
}

/** The entity and resource of a bucket, by its key; undefined for other items. */
export const entityBucketOf = (
  partitionKey: string,
  sortKey: string,
): { readonly entityId: string; readonly resource: string } | undefined => {
  const owner = entityPartition('')
  if (!partitionKey.startsWith(owner) || !sortKey.startsWith(SORT.bucket)) return undefined
  return { entityId: afterPrefix(partitionKey, owner), resource: afterPrefix(sortKey, SORT.bucket) }
}

export const describeKey = (key: { readonly PK?: unknown; readonly SK?: unknown }): string =>
  `PK ${String(key.PK)}, SK ${String(key.SK)}`
