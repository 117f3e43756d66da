import type { BucketId } from '../bucket/bucket-store.ts'
import type { ReservedCharges } from '../charge/reservation-store.ts'
import type { Entity } from '../model/entity.ts'
import type { Limit } from '../model/limit.ts'
import type { Cost, LimitMeter } from '../model/meter.ts'
import type { PolicyContext } from '../model/policy.ts'
import type { Pace } from '../ports/model-backend.ts'
import type { Eventual } from '../ports/when-ready.ts'

/** A request to decide. Charged at once; `settles`: the actual cost is reported later. */
export interface DecisionRequest {
  readonly entityId: string
  /** The entity itself, of that id, if it is not stored but named by a token. */
  readonly entity?: Entity
  /** The resource that the caller names; undefined: the bucket `_default_` itself. */
  readonly resource?: string
  /** The user of the entity's key, if known: any text. Selects policies on users. */
  readonly user?: string
  /** The session of the request, if known: any text. Selects policies on sessions. */
  readonly session?: string
  /** Properties that select policies in place of those of the entity and the resource. */
  readonly context?: PolicyContext
  readonly cost: Cost
  /** True: usage (`used_*`) is counted when the reservation is settled. False: now. */
  readonly settles: boolean
  /**
   * Whether it holds a slot of each concurrency limit until its reservation is settled or released. Default: `settles`. A request
   * that holds none requires a free one.
   */
  readonly holds?: boolean
  /** When its slots expire, ns since the epoch. Default: after the `lease_seconds` of each limit. */
  readonly slotsUntil?: bigint
  /** True: nothing is charged or counted. */
  readonly dryRun?: boolean
  /** Holds the request to a share of its limits on the resource. */
  readonly pace?: Pace
}

/** The state of one limit of one bucket after a decision. */
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
  /** ns in which an empty bucket refills, or the length of the window */
  readonly windowNs: bigint
  /** ns until the window ends; only of fixed windows, which refill all at once */
  readonly endsInNs?: bigint
  /** ns until one token is available to the caller; undefined if one is available, or never will be */
  readonly nextNs?: bigint
  /** The limit's source: `entity`, `entity:_default_`, `role:<role>`, `system`, `environment`, … */
  readonly source: string
  /** Whether it belongs to the caller itself (not to a parent or a policy). */
  readonly own: boolean
}

/** A limit that denied, or would have denied. */
export interface Violation {
  readonly state: LimitState
  readonly meter: LimitMeter
  readonly requested: number
  /** ns until this limit would allow the request; null: never, as the request is larger than the capacity */
  readonly retryAfterNs: bigint | null
  /** The share of the limit that is admitted while the upstream is at its own limit; only if that share denied. */
  readonly factor?: number
}

/** The slots of concurrency limits that a reservation holds. */
export interface HeldSlots {
  /** ns in which the first of them expires if it is not renewed: the shortest `lease_seconds`. */
  readonly leaseNs: bigint
  /** When they expire, if the request named a time, ns since the epoch. */
  readonly until?: bigint | undefined
  /**
   * Lets them expire at `until`, ns since the epoch (default: after the `lease_seconds` of each limit), unless they expire later
   * already. False: a slot had expired and is gone, the reservation has ended, or the store is unavailable. Never throws.
   */
  renew(until?: bigint): Promise<boolean>
}

/** The charge of an allowed decision; settled to the actual cost afterwards. */
export interface Reservation {
  /** The charges, as data that can be stored: `Limiter.settleCharges` settles them on any node. */
  readonly charges: ReservedCharges
  /** Undefined if it holds none. Released with the reservation. */
  readonly held?: HeldSlots | undefined
  /**
   * `actual` is the total per meter; an absent meter stays as reserved. A promise if a write must be waited for. A second call does
   * nothing else than wait for the first. Never throws.
   */
  settle(actual: Cost): Eventual<void>
  /** Refunds all. After `settle` it does nothing. Never throws. */
  release(): Eventual<void>
}

export interface Allowed {
  readonly allowed: true
  /** True: a part of this decision was made without the store. */
  readonly degraded: boolean
  /** The cause in one line, for logs and the operator; undefined unless `degraded`. */
  readonly unavailableCause?: string
  /** Without those of unavailable buckets: their state is unknown. */
  readonly limits: readonly LimitState[]
  /** Limits of mode `warn` or `shadow` that the request exceeds. They were not charged. */
  readonly reported: readonly Violation[]
  readonly reservation: Reservation
}

export interface Denied {
  readonly allowed: false
  /** As in `Allowed`. */
  readonly degraded: boolean
  readonly unavailableCause?: string
  readonly limits: readonly LimitState[]
  /** Never empty, unless `unavailable`. */
  readonly violations: readonly Violation[]
  /** Limits of mode `warn` or `shadow` that the request exceeds too. */
  readonly reported: readonly Violation[]
  /** The longest wait of the violations; null: the request can never pass. */
  readonly retryAfterNs: bigint | null
  /** True: the store is unavailable, and a limit's `on_unavailable` is `deny`: 503, not 429. */
  readonly unavailable: boolean
}

export type Decision = Allowed | Denied
