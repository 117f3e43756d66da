import type { Availability, Explanation, Limit } from '../../api/answers.ts'

/** One bucket that a request meets, with its limits and where they come from. */
export type ExplainedBucket = Explanation['also_enforced'][number]
export type ExplainedLimit = ExplainedBucket['limits'][number]

/** What is left of a limit. */
export type LimitState = Pick<
  Availability['limits'][number],
  'name' | 'available' | 'capacity' | 'reset_after_seconds'
>

/** By `bucketText`. */
export type BucketStates = ReadonlyMap<string, readonly LimitState[]>

const POLICY = /^POLICY:/

/** Whether a bucket is a policy's, not an entity's. */
export const isPolicy = ({ entity_id }: Pick<ExplainedBucket, 'entity_id'>): boolean => POLICY.test(entity_id)

/** What is set for the resource itself, without what it inherits. */
export const ownLimits = ({ resource, limits }: Pick<Explanation, 'resource' | 'limits'>): readonly Limit[] =>
  limits.map(({ winner }) => winner).filter(({ source }) => source === `entity:${resource}`)

/** What would hold if nothing were set for the resource itself. */
export const inheritedLimits = ({
  resource,
  limits,
}: Pick<Explanation, 'resource' | 'limits'>): readonly Limit[] =>
  limits.flatMap(({ winner, overrides }) => {
    const next = [winner, ...overrides].find(({ source }) => source !== `entity:${resource}`)
    return next ? [next] : []
  })

/** Whose bucket, on what. */
export type BucketName = Pick<ExplainedBucket, 'entity_id' | 'resource'>

/** A bucket's name among others. */
export const bucketText = ({ entity_id, resource }: BucketName): string => `${entity_id} ${resource}`
