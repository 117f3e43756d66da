import type { Cost } from '../../../src/core/model/meter.ts'
import type { NameScope, PolicyKey } from '../../../src/core/model/policy.ts'
import type { NetworkFaults } from '../world/network.ts'

/** A limit of the simulation. `name` implies its meter, as in the product: rpm counts requests, tpm tokens. */
export interface PlannedLimit {
  readonly name: string
  /** No request reserves output tokens: they are only claimed. */
  readonly meter: 'requests' | 'tokens' | 'output_tokens' | 'cost_usd_micros'
  readonly size:
    | { readonly kind: 'bucket'; readonly capacity: number; readonly fillsInSeconds: number }
    | { readonly kind: 'sliding'; readonly limit: number; readonly seconds: number; readonly slots: number }
    | { readonly kind: 'minute'; readonly limit: number }
    /** A window that begins with its first charge. */
    | { readonly kind: 'run'; readonly limit: number; readonly seconds: number }
  readonly refund: 'strict' | 'full'
  /** The rule while its bucket is unavailable. Default: deny. */
  readonly onUnavailable?: 'allow' | 'local'
  /** The limit never denies, and charges what fits. */
  readonly mode?: 'warn' | 'shadow'
  /** Another size until the end of the first minute (`before`), or for the minute that follows (`after`). */
  readonly scheduled?: { readonly when: 'before' | 'after'; readonly factor: number }
}

export interface PlannedEntity {
  readonly id: string
  readonly parentId: string | null
  readonly limits: readonly PlannedLimit[]
}

/** Limits that all requests of some entities share. */
export interface PlannedPolicy {
  /** As in responses: `POLICY:GLOBAL:*`. */
  readonly id: string
  readonly key: PolicyKey
  /** The entities to whose requests it applies. */
  readonly callers: readonly string[]
  readonly limits: readonly PlannedLimit[]
  /** Only of the bucket of one user or session, which has the limits of its scope. */
  readonly named?: PlannedName
}

/** The requests to whose user or session a bucket applies; undefined: those that name none. */
export interface PlannedName {
  readonly scope: NameScope
  readonly tenant: string
  readonly name: string | undefined
}

/** Replaces the limits of an entity, or of a policy, by others with the same names. */
export interface PlannedChange {
  readonly atNs: number
  /** The node that makes the change and applies it immediately; null: none of these. */
  readonly node: number | null
  readonly of: string
  readonly limits: readonly PlannedLimit[]
}

/** A limit of the requests in flight, of an entity or a policy, beside its other limits. */
export interface PlannedSlots {
  readonly of: string
  readonly limit: number
  readonly leaseSeconds: number
}

/** A request, and its settlement if it is admitted. Times are ns since the start of the schedule. */
export interface PlannedRequest {
  readonly atNs: number
  readonly node: number
  readonly entityId: string
  readonly tokens: number
  readonly user?: string
  readonly session?: string
  /** Undefined: the request is final and uses what it requests. */
  readonly ending?: PlannedEnding
  /** Whether its slots are renewed until it ends, at the latest at the end of the schedule. */
  readonly renews?: boolean
}

/**
 * `afterNs` later the request settles at this share of its reservation; `null`: it releases the reservation. never: the
 * reservation remains.
 */
export type PlannedEnding =
  | 'never'
  | { readonly afterNs: number; readonly share: number | null }
  | PlannedClaim

/** `afterNs` later it is settled through `node`, as a stored reservation is, to the claimed total; null: it is released. */
export interface PlannedClaim {
  readonly afterNs: number
  readonly claims: Cost | null
  readonly node: number
  /** A caller's claim is bounded by their own limits, an administrator's is not. */
  readonly by: 'caller' | 'admin'
}

export type PlannedFault =
  | { readonly fault: 'crash'; readonly atNs: number; readonly node: number }
  | {
      readonly fault: 'freeze'
      readonly atNs: number
      readonly node: number
      readonly ns: number
      readonly stopsMonotonic: boolean
    }
  | { readonly fault: 'step'; readonly atNs: number; readonly node: number; readonly ns: number }
  | { readonly fault: 'reset'; readonly atNs: number; readonly node: number; readonly entityId: string }

/** Everything that is drawn before a run. The outcome of each network call is drawn from the same seed. */
export interface Schedule {
  readonly seed: number
  /** steady: demand is above the limit throughout. */
  readonly kind: 'bursts' | 'steady'
  readonly durationNs: number
  readonly startNs: bigint
  /** The offset of each node's wall clock from true time. */
  readonly aheadNs: readonly number[]
  readonly tickNs: number
  readonly leaseTtlMs: number
  /** True: nothing runs after a response, so counters and leases are written before it. */
  readonly isLambda: boolean
  readonly entities: readonly PlannedEntity[]
  readonly policies: readonly PlannedPolicy[]
  readonly slots?: readonly PlannedSlots[]
  /** In order of time. The first one is version 2 of what it replaces. */
  readonly changes: readonly PlannedChange[]
  readonly network: NetworkFaults
  readonly requests: readonly PlannedRequest[]
  readonly faults: readonly PlannedFault[]
}

/** No call is lost, no node freezes or crashes, no clock is set, nothing is reset. Clocks may differ. */
export const isCalm = ({ network, faults }: Schedule): boolean =>
  faults.length === 0 && network.slow + network.lostBefore + network.lostAfter + network.throttled === 0

/** The entities that send requests: all but the parent of others. */
export const callersIn = ({ entities }: Pick<Schedule, 'entities'>): readonly string[] =>
  entities.filter(({ parentId }) => parentId !== null || entities.length === 1).map(({ id }) => id)

/** Whether limits have another size at a time. */
export const hasTransition = ({ entities, policies }: Schedule): boolean =>
  [...entities, ...policies].some(({ limits }) => limits.some(({ scheduled }) => scheduled !== undefined))

/** The time at which scheduled limits have another size, by true time: ns since the start of the schedule. */
export const transitionNs = ({ startNs }: Schedule): number => Number(TRANSITION_NS - startNs)

/** 2026-01-01T00:01:00Z */
export const TRANSITION_NS = 1_767_225_660_000_000_000n

/** The size that the table states as a text. */
export const sizeOfText = (text: string): PlannedLimit['size'] => {
  const [kind, amount, , period = ''] = text.split(' ')
  const seconds = period.endsWith('ns') ? Number(period.slice(0, -2)) / 1e9 : Number(period.slice(0, -1))
  switch (kind) {
    case 'token_bucket':
      return { kind: 'bucket', capacity: Number(amount), fillsInSeconds: seconds }
    case 'sliding_window':
      return { kind: 'sliding', limit: Number(amount), seconds, slots: Number(text.split(' ')[5]) }
    default:
      return text.endsWith('first use')
        ? { kind: 'run', limit: Number(amount), seconds }
        : { kind: 'minute', limit: Number(amount) }
  }
}
