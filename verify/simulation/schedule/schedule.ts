import type { Cost } from '../../../src/core/model/meter.ts'
import type { PolicyKey } from '../../../src/core/model/policy.ts'
import type { NetworkFaults } from '../world/network.ts'

/** A limit of the simulation. `name` tells its meter, as in a real one: rpm of requests, tpm of tokens. */
export interface PlannedLimit {
  readonly name: string
  /** No request reserves output tokens: they are only claimed. */
  readonly meter: 'requests' | 'tokens' | 'output_tokens'
  readonly size:
    | { readonly kind: 'bucket'; readonly capacity: number; readonly fillsInSeconds: number }
    | { readonly kind: 'sliding'; readonly limit: number; readonly seconds: number; readonly slots: number }
    | { readonly kind: 'minute'; readonly limit: number }
  readonly refund: 'strict' | 'full'
  /** What holds while its bucket cannot be reached; deny unless told. */
  readonly onUnavailable?: 'allow' | 'local'
  /** It never denies, and charges what fits. */
  readonly mode?: 'warn' | 'shadow'
}

export interface PlannedEntity {
  readonly id: string
  readonly parentId: string | null
  readonly limits: readonly PlannedLimit[]
}

/** Limits that all requests of some entities share. */
export interface PlannedPolicy {
  /** As answers name it: `POLICY:GLOBAL:*`. */
  readonly id: string
  readonly key: PolicyKey
  /** The entities whose requests it applies to. */
  readonly callers: readonly string[]
  readonly limits: readonly PlannedLimit[]
}

/** The limits of an entity, or of a policy, are replaced by others of the same names. */
export interface PlannedChange {
  readonly atNs: number
  /** Through which they are replaced, so that it knows at once; null: through none of these. */
  readonly node: number | null
  readonly of: string
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
export type PlannedEnding =
  | 'never'
  | { readonly afterNs: number; readonly share: number | null }
  | PlannedClaim

/** After so long it is settled through `node`, as a stored reservation is, to what is claimed to be used in total. */
export interface PlannedClaim {
  readonly afterNs: number
  readonly claims: Cost
  readonly node: number
  /** A caller's word is bounded by their own limits, an administrator's is not. */
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
  readonly policies: readonly PlannedPolicy[]
  /** In order of their times. The first is version 2 of what it replaces. */
  readonly changes: readonly PlannedChange[]
  readonly network: NetworkFaults
  readonly asks: readonly PlannedAsk[]
  readonly faults: readonly PlannedFault[]
}

/** Nothing is lost, no node stands still or dies, no clock is set, nothing is reset. Clocks may differ. */
export const isCalm = ({ network, faults }: Schedule): boolean =>
  faults.length === 0 && network.slow + network.lostBefore + network.lostAfter + network.throttled === 0

/** A limit of an entity, or of a policy, by the version of the configuration. */
export const limitAt = (
  { entities, policies, changes }: Schedule,
  of: string,
  name: string,
  version: number,
): PlannedLimit | undefined => {
  const first = [...entities, ...policies].find(({ id }) => id === of)
  const versions = [first, ...changes.filter((change) => change.of === of)]
  return versions[version - 1]?.limits.find((limit) => limit.name === name)
}
