import type { BucketId } from '../bucket/bucket-store.ts'
import type { ReservedCharges } from '../charge/reservation-store.ts'
import type { Limit } from '../model/limit.ts'
import type { Cost, Meter } from '../model/meter.ts'
import type { PolicyContext } from '../model/policy.ts'

/** A request to decide. Charged at once; `settles`: the actual cost is reported later. */
export interface DecisionRequest {
  readonly entityId: string
  /** The resource as the caller names it; undefined: the bucket `_default_` itself. */
  readonly resource?: string
  /** Who uses the entity's key, where it is known: for policies on a user and a model. */
  readonly user?: string
  /** What policies go by instead of what is known of the entity and the resource. */
  readonly context?: PolicyContext
  readonly cost: Cost
  /** True: `used_*` is counted when the reservation is settled. False: now. */
  readonly settles: boolean
  /** True: nothing is charged, nothing counted. */
  readonly dryRun?: boolean
}

/** One limit of one bucket as a decision left it. */
export interface LimitState {
  readonly bucket: BucketId
  /** The entity's id, or `POLICY:<scope>:<selector>`. */
  readonly entityId: string
  /** The bucket's resource: `gpt-4`, `_default_`, `_other_`, `_total_`. */
  readonly resource: string
  readonly limit: Limit
  readonly capacity: number
  /** Whole tokens, rounded down, never below 0. */
  readonly available: number
  /** capacity − available */
  readonly used: number
  /** ns until it is full again */
  readonly resetNs: bigint
  /** ns in which an empty bucket fills, or the length of the window */
  readonly windowNs: bigint
  /** ns until the window ends, where all comes back at once at a fixed time */
  readonly endsInNs?: bigint
  /** ns until one token is there for the caller, where none is; left out where one is, or never will be */
  readonly nextNs?: bigint
  /** Where the limit came from: `entity`, `entity:_default_`, `role:<role>`, `system`, `environment`, … */
  readonly source: string
  /** Whether it belongs to the caller itself (not to a parent or a policy). */
  readonly own: boolean
}

/** A limit that denied, or would have. */
export interface Violation {
  readonly state: LimitState
  readonly meter: Meter
  readonly requested: number
  /** ns until this limit would pass the request; null: never, it is larger than the capacity */
  readonly retryAfterNs: bigint | null
}

/** What an allowed decision has charged; settled to the actual cost afterwards. */
export interface Reservation {
  /** What was charged, as data that can be stored: `Limiter.settleCharges` settles it on any node. */
  readonly charges: ReservedCharges
  /** `actual` is the total per meter; a meter left out stays as reserved. A second call does nothing. Never throws. */
  settle(actual: Cost): Promise<void>
  /** Refunds all. After `settle` it does nothing. Never throws. */
  release(): Promise<void>
}

export interface Allowed {
  readonly allowed: true
  /** True: a part of this decision was made without the store. */
  readonly degraded: boolean
  /** Why, in one line for logs and the operator; undefined unless `degraded`. */
  readonly unavailableCause?: string
  /** Without those of buckets that could not be reached: nothing is known of them. */
  readonly limits: readonly LimitState[]
  /** Limits of mode `warn` or `shadow` that the request exceeds. They were not charged. */
  readonly reported: readonly Violation[]
  readonly reservation: Reservation
}

export interface Denied {
  readonly allowed: false
  /** As of `Allowed`. */
  readonly degraded: boolean
  readonly unavailableCause?: string
  readonly limits: readonly LimitState[]
  /** Never empty, unless `unavailable`. */
  readonly violations: readonly Violation[]
  /** Limits of mode `warn` or `shadow` that the request exceeds as well. */
  readonly reported: readonly Violation[]
  /** The greatest of the violations'; null: the request can never pass. */
  readonly retryAfterNs: bigint | null
  /** True: the store is unavailable, and a limit's `on_unavailable` is `deny`: 503, not 429. */
  readonly unavailable: boolean
}

export type Decision = Allowed | Denied
