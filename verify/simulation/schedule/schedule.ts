import type { NetworkFaults } from '../world/network.ts'

/** A limit of the simulation. `name` tells its meter, as in a real one: rpm of requests, tpm of tokens. */
export interface PlannedLimit {
  readonly name: string
  readonly meter: 'requests' | 'tokens'
  readonly size:
    | { readonly kind: 'bucket'; readonly capacity: number; readonly fillsInSeconds: number }
    | { readonly kind: 'sliding'; readonly limit: number; readonly seconds: number; readonly slots: number }
    | { readonly kind: 'minute'; readonly limit: number }
  readonly refund: 'strict' | 'full'
}

export interface PlannedEntity {
  readonly id: string
  readonly parentId: string | null
  readonly limits: readonly PlannedLimit[]
}

/** A request, and what becomes of it where it is admitted. Times in ns since the schedule began. */
export interface PlannedAsk {
  readonly atNs: number
  readonly node: number
  readonly entityId: string
  readonly tokens: number
  /** Not there: it says at once that it will use what it asks for. */
  readonly ending?: PlannedEnding
}

/** After so long all that was reserved is used by this share; `null`: all is given back. never: it stays reserved. */
export type PlannedEnding = 'never' | { readonly afterNs: number; readonly share: number | null }

export type PlannedFault =
  | { readonly fault: 'crash'; readonly atNs: number; readonly node: number }
  | {
      readonly fault: 'freeze'
      readonly atNs: number
      readonly node: number
      readonly ns: number
      readonly stopsSteady: boolean
    }
  | { readonly fault: 'step'; readonly atNs: number; readonly node: number; readonly ns: number }
  | { readonly fault: 'reset'; readonly atNs: number; readonly node: number; readonly entityId: string }

/** All that is drawn before a schedule runs. What the network does to each call is drawn from the same seed. */
export interface Schedule {
  readonly seed: number
  /** steady: more is asked for than the limit allows, all the time. */
  readonly kind: 'bursts' | 'steady'
  readonly durationNs: number
  readonly startNs: bigint
  /** By how much each node's wall clock is ahead of true time. */
  readonly aheadNs: readonly number[]
  readonly tickNs: number
  readonly leaseTtlMs: number
  /** True: nothing runs after an answer, so counts and leases are looked after before it. */
  readonly isLambda: boolean
  readonly entities: readonly PlannedEntity[]
  readonly network: NetworkFaults
  readonly asks: readonly PlannedAsk[]
  readonly faults: readonly PlannedFault[]
}

/** Nothing is lost, no node stands still or dies, no clock is set, nothing is reset. Clocks may differ. */
export const isCalm = ({ network, faults }: Schedule): boolean =>
  faults.length === 0 && network.slow + network.lostBefore + network.lostAfter + network.throttled === 0
