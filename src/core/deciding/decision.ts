import type { BucketId } from '../bucket/bucket-id.ts'
import type { ReservedCharges } from '../charging/reserved-charges.ts'
import type { Limit } from '../limit/limit.ts'
import type { Cost, Meter } from '../limit/meter.ts'
import type { PolicySubject } from '../policy/applicable-policies.ts'
import type { PolicyKey } from '../policy/policy-key.ts'

/** The caller who settles: on buckets that they share with others, the amounts that they report are bounded. */
export interface SettledBy {
  readonly callerId: string
}

/** What policies are picked by, where it is not what the entity and the resource say. A tier wins over the model's. */
export interface PolicyContext {
  readonly tenant?: string
  readonly model?: string
  readonly tier?: string
}

/** What a caller asks. Charged at once; `settle` says whether the real cost is told later. */
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
  /** Gives back all. After `settle` it does nothing. Never throws. */
  release(): Promise<void>
}

export interface Allowed {
  readonly allowed: true
  /** True: a part of this answer was given without the store. */
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
  /** True: the store is away and a limit says deny: 503, not 429. */
  readonly unavailable: boolean
}

export type Decision = Allowed | Denied

/** A limit in force, and where it comes from. */
export interface EffectiveLimit {
  readonly limit: Limit
  readonly source: string
  /** What it overrode, nearest first. */
  readonly overrides: readonly { readonly limit: Limit; readonly source: string }[]
}

/** The limits of a bucket, each with what it overrode. */
export interface ExplainedBucket {
  /** The entity's id, or `POLICY:<scope>:<selector>`. */
  readonly entityId: string
  readonly resource: string
  readonly limits: readonly EffectiveLimit[]
}

/** A bucket as people see it. */
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

/** What people ask of buckets beside decisions. All throw `ZaelError('not_found')` for an unknown entity, and `StoreUnavailable`. */
export interface Inspector {
  /** The limits of the entity itself on `resource` (`_default_` where none is named), with what each overrode. */
  explain(entityId: string, resource?: string): Promise<readonly EffectiveLimit[]>
  /** Those of every other bucket that a request meets as well: `_total_`, parents, policies that go by no user. */
  explainOthers(entityId: string, resource?: string): Promise<readonly ExplainedBucket[]>
  /** Without `resource`: the bucket with the least available share; full, with the effective limits, where there is none. */
  status(entityId: string, resource?: string): Promise<BucketStatus>
  /** The state of every bucket that `explainOthers` lists, in that order. */
  statusOfOthers(entityId: string, resource?: string): Promise<readonly OtherBucketStatus[]>
  /**
   * What `status` says without a resource, as time goes on (`now` in ns since the epoch), from one reading: as if nothing
   * were charged or given back since. The configuration is 30 s old at most: for those who look all the time.
   */
  observe(entityId: string): Promise<(now: bigint) => BucketStatus>
  /** Makes observing many cheaper: reads their configuration in few calls. */
  prepareObserving(entityIds: readonly string[]): Promise<void>
  /** ns until `cost` would pass everything that applies, and the limit that takes longest; null: never. */
  waitTime(
    entityId: string,
    cost: Cost,
    resource?: string,
  ): Promise<{ readonly waitNs: bigint | null; readonly limiting: LimitState | null }>
  /** Full again: a fresh life of the bucket. Without `resource`: every bucket of the entity; with `limitName` only that limit. */
  reset(entityId: string, options: { readonly resource?: string; readonly limitName?: string }): Promise<void>
  /** Makes a policy's limits full again: a new generation of its bucket. Throws `ZaelError('conflict')` under contention. */
  resetPolicy(key: PolicyKey): Promise<void>
  /** Removes the bucket of a policy that is gone, or not yet there, with all that is charged to it. */
  removePolicyBucket(key: PolicyKey): Promise<void>
  /** More for now: gives `amount` tokens (all that is used where left out) to the limit, or to every limit. */
  topUp(
    entityId: string,
    options: { readonly resource?: string; readonly limitName?: string; readonly amount?: number },
  ): Promise<void>
}

/** Deciding, and what people ask of it. One per process. */
export interface Limiter extends Inspector {
  /**
   * Throws `ZaelError`: `not_found` for an unknown entity, `invalid_request` for an amount below 0 or not whole, and for the
   * resource `_total_`;
   * `StoreUnavailable` where the configuration cannot be read. */
  decide(request: DecisionRequest): Promise<Decision>
  /**
   * Whether this process knows, by cached configuration and remembered denials, that a request will be denied: without a
   * call of the store. A guess: `decide` may still allow it. Throws `ZaelError('invalid_request')` as `decide`.
   */
  foreseesDenial(request: DecisionRequest): boolean
  /**
   * Settles what some node has charged to `actual` (a meter left out stays as reserved), or gives all back (null). It
   * does so as often as it is called: that a reservation ends once is for the caller to see to. Never throws.
   *
   * With `by`, a caller reports what they used: their own buckets are charged in full, those of parents and policies
   * beyond the reservation at most what the caller's own had available and what is available there, and meters that the
   * reservation did not name on the caller's own buckets only. Without it, every bucket is charged in full.
   */
  settleCharges(charges: ReservedCharges, actual: Cost | null, by?: SettledBy): Promise<void>
  /**
   * Charges one request on every policy that applies, of all or of none, whatever the limits of any entity. Allowed where
   * none applies. A denial names every policy that fails. Throws `ZaelError('invalid_request')` for what is no id,
   * `StoreUnavailable` as `decide`.
   */
  checkPolicies(check: PolicySubject): Promise<Decision>
  /** Tells this process that configuration was changed by it: the next decision reads anew. */
  forget(): void
  /** Writes counts that are due (`all`: whatever is pending). Called every second by servers, before an answer on Lambda. */
  flush(options?: { readonly all?: boolean }): Promise<void>
}
