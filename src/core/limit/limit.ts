import type { PolicyKey } from '../policy/policy-key.ts'
import type { Meter } from './meter.ts'

/** Refilled all the time: `capacity` tokens, `refillRate` tokens per second. */
export interface TokenBucketSize {
  readonly algorithm: 'token_bucket'
  readonly capacity: number
  readonly refillRate: number
}

/** How much, by which algorithm. Each algorithm adds its member here and its file in `algorithms/`. */
export type LimitSize = TokenBucketSize

/** What to answer for a limit whose bucket cannot be reached. */
export type OnUnavailable = 'allow' | 'deny' | 'local'

/** A limit as an administrator states it. */
export interface Limit {
  readonly name: string
  readonly meter: Meter
  readonly size: LimitSize
  /** `strict` (the default) never gives back what time has given back; `full` gives back all. */
  readonly refund?: 'strict' | 'full'
  readonly onUnavailable?: OnUnavailable
}

/** The resource names that are not the name of any one resource. */
export const DEFAULT_RESOURCE = '_default_'
export const OTHER_RESOURCE = '_other_'
export const TOTAL_RESOURCE = '_total_'

/** Whose limits a set is. */
export type LimitOwner =
  | { readonly kind: 'entity'; readonly id: string }
  | { readonly kind: 'role'; readonly role: string }
  | { readonly kind: 'system' }
  /** On `_total_` only: a policy has one bucket, over all resources. */
  | ({ readonly kind: 'policy' } & PolicyKey)

/** Where one set of limits is kept: an owner and a resource. */
export interface LimitSetKey {
  readonly owner: LimitOwner
  readonly resource: string
}

/**
 * The limits of one owner on one resource. A deletion leaves a set without limits, so that the order of changes is
 * known for ever.
 */
export interface LimitSet {
  readonly limits: readonly Limit[]
  /** Orders changes: max(ns since the epoch of the change, the version before + 1). */
  readonly version: bigint
}

/** At most this many limits on one resource: expressions end at 4 KB, a write unit at 1 KB. */
export const MAX_LIMITS = 8
