import { numberIn } from '../bucket/bucket-item.ts'
import { type BucketId, entityBucket, policyBucket } from '../bucket/bucket-store.ts'
import { limitsAt } from '../bucket/scheduled-limit.ts'
import type { BucketItem } from '../bucket/write.ts'
import { resetBuckets, topUpBuckets } from '../charge/amend-buckets.ts'
import { readSettled, settledSince } from '../charge/joint-refunds.ts'
import { DEFAULT_RESOURCE } from '../model/limit-set.ts'
import { type Cost, checkCost, METERS, NO_SLOTS, withTotalTokens } from '../model/meter.ts'
import { type NamedBucket, NO_NAME, type PolicyKey } from '../model/policy.ts'
import { SECOND_NS } from '../model/time.ts'
import { type ExplainedLimit, explainLimits } from '../resolve/effective-limits.ts'
import type { ApplicableBucket } from '../resolve/resolution.ts'
import type { EntityResolution, ResolutionTarget } from '../resolve/resolve.ts'
import type { Resolver } from '../resolve/resolver.ts'
import type { LimitState } from './decision.ts'
import {
  limitStates,
  longestWait,
  type ReadingDependencies,
  readViews,
  usedShare,
  violationsOf,
} from './limit-state.ts'

/** The limits of a bucket, each with the limits that it overrides. */
export interface ExplainedBucket {
  /** The entity's id, or `POLICY:<scope>:<selector>`. */
  readonly entityId: string
  readonly resource: string
  readonly limits: readonly ExplainedLimit[]
}

/** The state of a bucket. */
export interface BucketStatus {
  readonly bucket: BucketId
  readonly resource: string
  readonly limits: readonly LimitState[]
  /** The counters as stored: `used_<meter>`, `denied`. */
  readonly used: Cost
}

/** The state of a bucket of a parent or a policy. */
export interface OtherBucketStatus extends BucketStatus {
  /** The parent's id, or `POLICY:<scope>:<selector>`. */
  readonly entityId: string
}

/** The user and the session that a request names. */
export type Names = Pick<ResolutionTarget, 'user' | 'session'>

/** Reads and changes the state of buckets. All throw `ZaelError('not_found')` for an unknown entity, and `StoreUnavailable`. */
export interface Inspector {
  /**
   * The entity's effective limits on `resource` (default `_default_`), each with the limits that it overrides. The configuration
   * is read, not cached: administrators edit what they see.
   */
  explain(entityId: string, resource?: string): Promise<readonly ExplainedLimit[]>
  /** The limits of every other bucket that a request charges: `_total_`, parents, policies. */
  explainOthers(entityId: string, resource?: string, names?: Names): Promise<readonly ExplainedBucket[]>
  /** Without `resource`: the bucket with the least available share; if there is none, a full one with the effective limits. */
  status(entityId: string, resource?: string): Promise<BucketStatus>
  /** The state of every bucket that `explainOthers` lists, in that order. */
  statusOfOthers(entityId: string, resource?: string, names?: Names): Promise<readonly OtherBucketStatus[]>
  /** The state of the bucket of one user or session; undefined if no policy applies to it. */
  statusOfNamed(bucket: NamedBucket): Promise<OtherBucketStatus | undefined>
  /**
   * The result of `status` without a resource, for any `now` (ns since the epoch) from one read: as if nothing were charged or
   * refunded since. The configuration is at most 30 s old: for dashboards, which poll.
   */
  observe(entityId: string): Promise<(now: bigint) => BucketStatus>
  /** Reads the configuration of many entities in few calls, so that observing them costs less. */
  prepareObserving(entityIds: readonly string[]): Promise<void>
  /** ns until every limit would allow `cost`, and the limit with the longest wait; null: never. */
  waitTime(
    entityId: string,
    cost: Cost,
    resource?: string,
  ): Promise<{ readonly waitNs: bigint | null; readonly limiting: LimitState | null }>
  /** Refills a bucket: a new generation. Without `resource`: every bucket of the entity; with `limitName`: only that limit. */
  reset(entityId: string, options: { readonly resource?: string; readonly limitName?: string }): Promise<void>
  /** Refills a policy's limits: a new generation of its bucket. Throws `ZaelError('conflict')` under contention. */
  resetPolicy(key: PolicyKey): Promise<void>
  /** Removes the bucket of a deleted or not yet created policy, with all its charges. */
  removePolicyBucket(key: PolicyKey): Promise<void>
  /** Adds `amount` tokens (default: all that are used) to the limit, or to every limit, once. */
  topUp(
    entityId: string,
    options: { readonly resource?: string; readonly limitName?: string; readonly amount?: number },
  ): Promise<void>
}

export interface InspectorDependencies extends ReadingDependencies {
  /** Whether limits are enforced on the entity at all. */
  isLimited(resolution: EntityResolution): boolean
  readonly resolver: Pick<Resolver, 'resolve' | 'resolvePolicies' | 'prepare'>
}

/** A status shows the current configuration, and is read far less often than decisions are made. */
const STATUS_MAX_AGE_NS = SECOND_NS

/** Observers poll many entities: a limit that another node has changed appears within this time, as it does in decisions. */
const OBSERVED_MAX_AGE_NS = 30n * SECOND_NS

/** Prepared configuration is recent enough for observations that begin within this time. */
const PREPARED_FOR_NS = 2n * SECOND_NS

export const createInspector = (dependencies: InspectorDependencies): Inspector => {
  const { clock } = dependencies
  const deps = { ...dependencies, resolve: resolveWithin(dependencies, STATUS_MAX_AGE_NS) }
  const { resolve } = deps
  const observing = { ...deps, resolve: resolveWithin(dependencies, OBSERVED_MAX_AGE_NS) }
  return {
    explain: (entityId, resource) => explainNow(dependencies, entityId, resource),
    async explainOthers(entityId, resource, names) {
      const [, ...others] = (await resolve(entityId, resource, names)).buckets
      return others.map(({ layers, ...bucket }) => ({ ...bucket, limits: explainLimits(layers) }))
    },
    status: (entityId, resource) =>
      resource === undefined
        ? leastAvailable(deps, entityId, clock.now())
        : statusOf(deps, entityId, resource, clock.now()),
    async statusOfOthers(entityId, resource, names) {
      const [, ...others] = (await resolve(entityId, resource, names)).buckets
      return Promise.all(others.map((bucket) => statusOfOther(deps, bucket, clock.now())))
    },
    async statusOfNamed(named) {
      const bucket = await resolveNamed(dependencies, named)
      return bucket && statusOfOther(deps, bucket, clock.now())
    },
    observe: (entityId) => observe(observing, entityId),
    prepareObserving: (entityIds) => deps.resolver.prepare(entityIds, OBSERVED_MAX_AGE_NS - PREPARED_FOR_NS),
    waitTime: (entityId, cost, resource) => waitTime(deps, entityId, cost, resource),
    async reset(entityId, { resource, ...options }) {
      await resetBuckets(deps.store, await bucketsOf(deps, entityId, resource), options, clock.now())
    },
    resetPolicy: (key) => resetBuckets(deps.store, [policyBucket(key)], {}, clock.now()),
    removePolicyBucket: (key) => deps.store.remove(policyBucket(key)),
    async topUp(entityId, { resource, ...options }) {
      await topUpBuckets(deps.store, await bucketsOf(deps, entityId, resource), options, clock.now())
    },
  }
}

const explainNow = async (
  deps: InspectorDependencies,
  entityId: string,
  resource: string | undefined,
): Promise<readonly ExplainedLimit[]> =>
  explainLimits((await resolveWithin(deps, 0n)(entityId, resource)).buckets[0].layers)

const resolveWithin =
  ({ resolver }: InspectorDependencies, maxAgeNs: bigint) =>
  (entityId: string, resource: string | undefined, names?: Names): Promise<EntityResolution> =>
    resolver.resolve({ entityId, resource, ...names }, maxAgeNs)

const waitTime = async (
  deps: StatusDependencies & InspectorDependencies,
  entityId: string,
  cost: Cost,
  resource: string | undefined,
): ReturnType<Inspector['waitTime']> => {
  checkCost(cost)
  const now = deps.clock.now()
  const named = resource ?? requestedAs(await leastAvailable(deps, entityId, now))
  const resolution = await deps.resolve(entityId, named)
  if (!deps.isLimited(resolution)) return { waitNs: 0n, limiting: null }
  const views = await readViews(deps, resolution)
  const charged = { ...withTotalTokens(cost), slots: NO_SLOTS }
  const violations = views.flatMap((view) => violationsOf(view, charged, now))
  const waitNs = longestWait(violations.map(({ retryAfterNs }) => retryAfterNs))
  const limiting = violations.find(({ retryAfterNs }) => retryAfterNs === waitNs)?.state ?? null
  return { waitNs, limiting }
}

/** The entity's bucket for `resource`, or every bucket of the entity. */
const bucketsOf = async (
  { store, resolve }: StatusDependencies,
  entityId: string,
  resource: string | undefined,
): Promise<readonly BucketId[]> => {
  const { buckets } = await resolve(entityId, resource)
  if (resource !== undefined) return [buckets[0].id]
  return (await store.list(entityId)).map((bucket) => entityBucket(entityId, bucket.resource))
}

export interface StatusDependencies extends ReadingDependencies {
  resolve(entityId: string, resource: string | undefined): Promise<EntityResolution>
}

/** The state of the entity's bucket for a resource; full if nothing is stored. */
const statusOf = async (
  deps: StatusDependencies,
  entityId: string,
  resource: string | undefined,
  now: bigint,
): Promise<BucketStatus> => {
  const [own] = (await deps.resolve(entityId, resource)).buckets
  return stateOf(deps, own, await readSettled(deps, own.id))(now)
}

/** The bucket of one user or session, with the limits of the policy that applies. */
const resolveNamed = async (
  { resolver }: InspectorDependencies,
  { scope, tenant, name }: NamedBucket,
): Promise<ApplicableBucket | undefined> => {
  const named = scope === 'USER' ? { user: name } : { session: name }
  const subject = name === NO_NAME ? { tenant } : { tenant, ...named }
  const { buckets } = await resolver.resolvePolicies(subject, STATUS_MAX_AGE_NS)
  return buckets.find(({ id }) => id.kind === 'policy' && id.scope === scope)
}

const statusOfOther = async (
  deps: StatusDependencies,
  bucket: ApplicableBucket,
  now: bigint,
): Promise<OtherBucketStatus> => ({
  entityId: bucket.entityId,
  ...stateOf(deps, bucket, await readSettled(deps, bucket.id))(now),
})

/** The state of the entity's bucket with the least available share; of a full one if no bucket has limits. */
const leastAvailable = async (
  deps: StatusDependencies,
  entityId: string,
  now: bigint,
): Promise<BucketStatus> => (await observe(deps, entityId))(now)

/** The same at any time, from one read of the buckets. */
const observe = async (
  deps: StatusDependencies,
  entityId: string,
): Promise<(now: bigint) => BucketStatus> => {
  const fallback = await deps.resolve(entityId, undefined)
  const stored = await deps.store.list(entityId)
  const limited = await Promise.all(
    stored.map(async ({ resource, item }) => {
      const { buckets } = await deps.resolve(entityId, resource)
      const bucket = buckets.find(
        (candidate) => candidate.entityId === entityId && candidate.resource === resource,
      )
      if (bucket === undefined || bucket.limits.length === 0) return []
      return [stateOf(deps, bucket, (await settledSince(deps, bucket.id)) ?? item)]
    }),
  )
  const full = stateOf(deps, fallback.buckets[0], undefined)
  const states = limited.flat()
  return (now) => {
    const [first = full(now), ...others] = states.map((state) => state(now))
    return others.reduce((least, status) => (shareOf(status) < shareOf(least) ? status : least), first)
  }
}

/** The resource of a request that charges this bucket. */
const requestedAs = ({ resource }: BucketStatus): string | undefined =>
  resource === DEFAULT_RESOURCE ? undefined : resource

const stateOf = ({ leases }: StatusDependencies, bucket: ApplicableBucket, item: BucketItem | undefined) => {
  const held = leases.heldAt(bucket.id)
  const used = usedIn(item)
  return (now: bigint): BucketStatus => ({
    bucket: bucket.id,
    resource: bucket.resource,
    limits: limitStates({ bucket, limits: limitsAt(bucket.limits, now), item, held }, now),
    used,
  })
}

const usedIn = (item: BucketItem | undefined): Cost =>
  Object.fromEntries(METERS.map((meter) => [meter, Number(numberIn(item, `used_${meter}`, 0n))]))

/** The available share, 0 to 1, of the tightest limit; 1 if there is none. */
const shareOf = ({ limits }: BucketStatus): number =>
  limits.reduce((least, limit: LimitState) => Math.min(least, 1 - usedShare(limit)), 1)
