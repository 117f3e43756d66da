import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import type { Layer } from './layers.ts'

/** One bucket that a decision meets, and the limits to charge it by. */
export interface ApplicableBucket {
  readonly id: BucketId
  /** The entity's id, or `POLICY:<scope>:<selector>`. */
  readonly entityId: string
  readonly resource: string
  readonly limits: readonly EffectiveLimit[]
  /** Where they come from, for explanations. */
  readonly layers: readonly Layer[]
  /** Whether it is the caller's own: of the requested resource, or `_total_`. */
  readonly isOwn: boolean
}

/** All buckets that a decision meets; each is there once. */
export interface Resolution {
  readonly buckets: readonly ApplicableBucket[]
}

/** Whether two resolutions lead to the same decisions: the same buckets, with limits of the same size and mode. */
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
