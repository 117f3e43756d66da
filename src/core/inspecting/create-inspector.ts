import { SECOND_NS } from '../algorithms/integers.ts'
import { type BucketId, entityBucket, policyBucket } from '../bucket/bucket-id.ts'
import type { BucketStore } from '../bucket/bucket-store.ts'
import type { BucketWriter } from '../charging/bucket-writer.ts'
import { readViews } from '../deciding/charge-all.ts'
import type { Inspector } from '../deciding/decision.ts'
import { longestWait, violationsOf } from '../deciding/limit-states.ts'
import { type Cost, checkCost, withTotalTokens } from '../limit/meter.ts'
import type { Clock } from '../ports/clock.ts'
import type { Resolver } from '../resolving/create-resolver.ts'
import type { Resolution } from '../resolving/resolve-buckets.ts'
import { effectiveLimits } from '../resolving/resolve-limits.ts'
import { resetBuckets, topUpBuckets } from './amend-buckets.ts'
import {
  leastAvailable,
  observe,
  requestedAs,
  type StatusDependencies,
  statusOf,
  statusOfOthers,
} from './status.ts'

export interface InspectorDependencies {
  readonly buckets: BucketStore
  readonly writer: BucketWriter
  readonly clock: Clock
  /** What this process holds of a bucket in leases, per meter: it is available here. */
  heldAt(bucket: BucketId): Cost
  /** Whether limits are enforced on the entity at all. */
  isLimited(resolution: Resolution): boolean
  readonly resolver: Pick<Resolver, 'resolve' | 'prepare'>
}

/** People look at what holds now; they ask far less often than requests come. */
const LOOK_MAX_AGE_NS = SECOND_NS

/** Observers ask all the time, and for many: a limit that another node has changed shows within so long, as it binds. */
const OBSERVED_MAX_AGE_NS = 30n * SECOND_NS

/** What is prepared is fresh enough for observations that begin within so long. */
const PREPARED_FOR_NS = 2n * SECOND_NS

/** What people ask of buckets beside decisions. */
export const createInspector = (dependencies: InspectorDependencies): Inspector => {
  const { clock } = dependencies
  const deps = { ...dependencies, resolve: resolveWithin(dependencies, LOOK_MAX_AGE_NS) }
  const { resolve } = deps
  const observing = { ...deps, resolve: resolveWithin(dependencies, OBSERVED_MAX_AGE_NS) }
  return {
    async explain(entityId, resource) {
      return effectiveLimits((await resolve(entityId, resource)).plans[0].layers)
    },
    async explainOthers(entityId, resource) {
      const [, ...others] = (await resolve(entityId, resource)).plans
      return others.map(({ layers, ...plan }) => ({
        entityId: plan.entityId,
        resource: plan.resource,
        limits: effectiveLimits(layers),
      }))
    },
    status: (entityId, resource) =>
      resource === undefined
        ? leastAvailable(deps, entityId, clock.now())
        : statusOf(deps, entityId, resource, clock.now()),
    statusOfOthers: (entityId, resource) => statusOfOthers(deps, entityId, resource, clock.now()),
    observe: (entityId) => observe(observing, entityId),
    prepareObserving: (entityIds) => deps.resolver.prepare(entityIds, OBSERVED_MAX_AGE_NS - PREPARED_FOR_NS),
    async waitTime(entityId, cost, resource) {
      checkCost(cost)
      const now = clock.now()
      const named = resource ?? requestedAs(await leastAvailable(deps, entityId, now))
      const resolution = await resolve(entityId, named)
      if (!deps.isLimited(resolution)) return { waitNs: 0n, limiting: null }
      const views = await readViews(deps, resolution)
      const violations = views.flatMap((view) => violationsOf(view, withTotalTokens(cost), now))
      const waitNs = longestWait(violations.map(({ retryAfterNs }) => retryAfterNs))
      return {
        waitNs,
        limiting: violations.find(({ retryAfterNs }) => retryAfterNs === waitNs)?.state ?? null,
      }
    },
    async reset(entityId, { resource, ...options }) {
      await resetBuckets(deps.writer, await bucketsOf(deps, entityId, resource), options, clock.now())
    },
    resetPolicy: (key) => resetBuckets(deps.writer, [policyBucket(key)], {}, clock.now()),
    removePolicyBucket: (key) => deps.writer.remove(policyBucket(key)),
    async topUp(entityId, { resource, ...options }) {
      await topUpBuckets(deps.writer, await bucketsOf(deps, entityId, resource), options, clock.now())
    },
  }
}

const resolveWithin =
  ({ resolver }: InspectorDependencies, maxAgeNs: bigint) =>
  (entityId: string, resource: string | undefined): Promise<Resolution> =>
    resolver.resolve({ entityId, resource }, maxAgeNs)

/** The bucket that a request for `resource` meets, or every bucket that the entity has. */
const bucketsOf = async (
  { buckets, resolve }: StatusDependencies,
  entityId: string,
  resource: string | undefined,
): Promise<readonly BucketId[]> => {
  const { plans } = await resolve(entityId, resource)
  if (resource !== undefined) return [plans[0].bucket]
  return (await buckets.list(entityId)).map((bucket) => entityBucket(entityId, bucket.resource))
}
