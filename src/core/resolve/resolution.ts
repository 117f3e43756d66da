import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
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
}

/** Whether two resolutions result in the same decisions: they have the same buckets, with limits of the same size and mode. */
export const sameLimits = (a: Resolution, b: Resolution): boolean =>
  a === b || limitsTextOf(a) === limitsTextOf(b)

const limitsTextOf = ({ buckets }: Resolution): string =>
  buckets
    .map(({ id, limits }) => [
      bucketKey(id),
      ...limits.map(
        ({ limit, algorithm, headroom }) => `${limit.name} ${algorithm.text} ${limit.mode ?? ''} ${headroom}`,
      ),
    ])
    .join('\n')
