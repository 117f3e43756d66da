import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import { effectiveAt, firstTransition } from '../bucket/scheduled-limit.ts'
import type { Layer } from './layers.ts'

/** A bucket that a request charges, and the limits by which it is charged. */
export interface ApplicableBucket {
  readonly id: BucketId
  /** The entity's id, or `POLICY:<scope>:<selector>`. */
  readonly entityId: string
  readonly resource: string
  readonly limits: readonly EffectiveLimit[]
  /** The sources of the limits, for explanations. */
  readonly layers: readonly Layer[]
  /** Whether it is the caller's own bucket of the requested resource, or `_total_`. */
  readonly isOwn: boolean
}

/** All buckets that a request charges, without repetitions. */
export interface Resolution {
  readonly buckets: readonly ApplicableBucket[]
  /** The next transition of a limit's schedule, ns since the epoch: from then on, the limits have to be resolved again. */
  readonly until?: bigint | undefined
}

/** Whether no limit has another size by `now` (ns since the epoch). */
export const holdsAt = ({ until }: Resolution, now: bigint): boolean => until === undefined || now < until

/** A bucket with the sizes of its limits at `at` (ns since the epoch); the bucket itself if none of them has a schedule. */
export const bucketAt = (bucket: ApplicableBucket, at: bigint): ApplicableBucket =>
  bucket.limits.some(({ limit }) => limit.schedule !== undefined)
    ? { ...bucket, limits: bucket.limits.map((effective) => effectiveAt(effective, at)) }
    : bucket

/** The resolution with its `until`. */
export const untilTransition = <R extends Resolution>(resolution: R): R => {
  const until = firstTransition(resolution.buckets.flatMap(({ limits }) => limits))
  return until === undefined ? resolution : { ...resolution, until }
}

/**
 * Whether two resolutions result in the same decisions: they have the same buckets, with limits of the same size and mode, and the
 * same void states.
 */
export const sameLimits = (a: Resolution, b: Resolution): boolean =>
  a === b || limitsTextOf(a) === limitsTextOf(b)

const limitsTextOf = ({ buckets }: Resolution): string =>
  buckets
    .map(({ id, limits }) => [
      bucketKey(id),
      ...limits.map(
        ({ limit, algorithm, headroom, since = '' }) =>
          `${limit.name} ${algorithm.text} ${limit.mode ?? ''} ${headroom} ${since}`,
      ),
    ])
    .join('\n')
