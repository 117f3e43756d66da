import type { BucketId } from '../bucket/bucket-id.ts'
import type { BucketStore } from '../bucket/bucket-store.ts'
import type { BucketItem } from '../bucket/conditional-write.ts'
import { numberIn } from '../bucket/limit-in-force.ts'
import type { BucketWriter } from '../charging/bucket-writer.ts'
import type { BucketStatus, LimitState, OtherBucketStatus } from '../deciding/decision.ts'
import { limitStates, usedShare } from '../deciding/limit-states.ts'
import { DEFAULT_RESOURCE } from '../limit/limit.ts'
import { type Cost, METERS } from '../limit/meter.ts'
import type { BucketPlan } from '../resolving/bucket-plan.ts'
import type { Resolution } from '../resolving/resolve-buckets.ts'

export interface StatusDependencies {
  readonly buckets: BucketStore
  readonly writer: BucketWriter
  heldAt(bucket: BucketId): Cost
  resolve(entityId: string, resource: string | undefined): Promise<Resolution>
}

/** The state of the entity's bucket on a resource; full where nothing is stored. */
export const statusOf = async (
  deps: StatusDependencies,
  entityId: string,
  resource: string | undefined,
  now: bigint,
): Promise<BucketStatus> => {
  const { plans } = await deps.resolve(entityId, resource)
  return stateOf(deps, plans[0], await deps.writer.read(plans[0].bucket))(now)
}

/** The state of each bucket that a request for the resource charges beside the entity's own. */
export const statusOfOthers = async (
  deps: StatusDependencies,
  entityId: string,
  resource: string | undefined,
  now: bigint,
): Promise<readonly OtherBucketStatus[]> => {
  const [, ...others] = (await deps.resolve(entityId, resource)).plans
  return Promise.all(
    others.map(async (plan) => ({
      entityId: plan.entityId,
      ...stateOf(deps, plan, await deps.writer.read(plan.bucket))(now),
    })),
  )
}

/** The state of the entity's bucket with the least available share; where no bucket has limits, of a full one. */
export const leastAvailable = async (
  deps: StatusDependencies,
  entityId: string,
  now: bigint,
): Promise<BucketStatus> => (await observe(deps, entityId))(now)

/** The same as time goes on, from one reading of the buckets. */
export const observe = async (
  deps: StatusDependencies,
  entityId: string,
): Promise<(now: bigint) => BucketStatus> => {
  const fallback = await deps.resolve(entityId, undefined)
  const stored = await deps.buckets.list(entityId)
  const limited = await Promise.all(
    stored.map(async ({ resource, item }) => {
      const { plans } = await deps.resolve(entityId, resource)
      const plan = plans.find(
        (candidate) => candidate.entityId === entityId && candidate.resource === resource,
      )
      return plan && plan.limits.length > 0 ? [stateOf(deps, plan, item)] : []
    }),
  )
  const full = stateOf(deps, fallback.plans[0], undefined)
  const states = limited.flat()
  return (now) => {
    const [first = full(now), ...others] = states.map((state) => state(now))
    return others.reduce((least, status) => (shareOf(status) < shareOf(least) ? status : least), first)
  }
}

/** The resource as a caller would name it to meet this bucket. */
export const requestedAs = ({ resource }: BucketStatus): string | undefined =>
  resource === DEFAULT_RESOURCE ? undefined : resource

const stateOf = ({ heldAt }: StatusDependencies, plan: BucketPlan, item: BucketItem | undefined) => {
  const held = heldAt(plan.bucket)
  const used = usedIn(item)
  return (now: bigint): BucketStatus => ({
    bucket: plan.bucket,
    resource: plan.resource,
    limits: limitStates({ plan, limits: plan.limits, item, held }, now),
    used,
  })
}

const usedIn = (item: BucketItem | undefined): Cost =>
  Object.fromEntries(METERS.map((meter) => [meter, Number(numberIn(item, `used_${meter}`, 0n))]))

/** 0 to 1, of the limit that has the least left; 1 where there is none. */
const shareOf = ({ limits }: BucketStatus): number =>
  limits.reduce((least, limit: LimitState) => Math.min(least, 1 - usedShare(limit)), 1)
