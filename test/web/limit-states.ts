import { entityBucket, policyBucket } from '../../src/core/bucket/bucket-store.ts'
import type { Allowed, Denied, LimitState, Violation } from '../../src/core/decide/decision.ts'
import { settledReservation } from '../../src/core/decide/reservation.ts'
import type { LimitMode } from '../../src/core/model/limit.ts'
import type { Meter } from '../../src/core/model/meter.ts'

export const SECOND = 1_000_000_000n

export const MINUTE = 60n * SECOND

export interface StateParts {
  readonly name?: string
  readonly meter?: Meter
  readonly capacity: number
  readonly available: number
  readonly entityId?: string
  readonly resource?: string
  readonly windowNs?: bigint
  readonly resetNs?: bigint
  readonly own?: boolean
  readonly mode?: LimitMode
  readonly endsInNs?: bigint
  readonly nextNs?: bigint
}

/** A token bucket's state; by default full again within its window. */
export const stateOf = (parts: StateParts): LimitState => {
  const { name = 'rpm', meter = 'requests', capacity, available, windowNs = MINUTE } = parts
  const { entityId = 'key-bob', resource = 'gpt-4', own = true } = parts
  const used = capacity - available
  return {
    bucket: entityBucket(entityId, resource),
    entityId,
    resource,
    limit: {
      name,
      meter,
      ...(parts.mode !== undefined && { mode: parts.mode }),
      size: { algorithm: 'token_bucket', capacity, refillRate: capacity / (Number(windowNs) / 1e9) },
    },
    capacity,
    available,
    used,
    resetNs: parts.resetNs ?? (windowNs * BigInt(used)) / BigInt(Math.max(1, capacity)),
    windowNs,
    ...(parts.endsInNs !== undefined && { endsInNs: parts.endsInNs }),
    ...(parts.nextNs !== undefined && { nextNs: parts.nextNs }),
    source: 'entity:_default_',
    own,
  }
}

/** Of a policy without a selector. */
export const policyStateOf = (scope: 'GLOBAL', parts: StateParts): LimitState => ({
  ...stateOf({ ...parts, own: false, entityId: `POLICY:${scope}:*`, resource: '_total_' }),
  bucket: policyBucket({ scope, selector: '*' }),
})

export const tpm = (parts: StateParts): LimitState => stateOf({ name: 'tpm', meter: 'tokens', ...parts })

export const violationOf = (
  state: LimitState,
  requested: number,
  retryAfterNs: bigint | null,
): Violation => ({
  state,
  meter: state.limit.meter,
  requested,
  retryAfterNs,
})

export const allowedBy = (...limits: readonly LimitState[]): Allowed => ({
  allowed: true,
  degraded: false,
  limits,
  reported: [],
  reservation: settledReservation,
})

/** Denied by `violations`; `others` are limits that would have passed. */
export const deniedBy = (violations: readonly Violation[], others: readonly LimitState[] = []): Denied => {
  const waits = violations.map(({ retryAfterNs }) => retryAfterNs)
  const known = waits.filter((wait) => wait !== null)
  return {
    allowed: false,
    degraded: false,
    // a copy, because a limiter builds its states anew
    limits: [...violations.map(({ state }) => ({ ...state, bucket: { ...state.bucket } })), ...others],
    violations,
    reported: [],
    retryAfterNs: waits.includes(null) ? null : known.reduce((most, wait) => (wait > most ? wait : most), 0n),
    unavailable: false,
  }
}
