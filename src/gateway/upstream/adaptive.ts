import { larger, MS_NS, SECOND_NS, smaller } from '../../core/model/time.ts'
import type { Pace, ResponseHeaders } from '../../core/ports/model-backend.ts'
import type { Clock } from '../../core/ports/platform.ts'
import { isLittleLeft, waitMsIn } from './reported-limits.ts'
import { type Target, targetKey } from './resting.ts'

/*
 * How much zael admits to models whose upstream is at its own limit: a factor on the limits of callers, lowered by a share when
 * the upstream is pressed, and raised by constant rates while it is not. `src/core/decide/pacing.ts` applies it.
 */

/** The head of a response of an adaptive upstream. */
export interface ObservedResponse {
  readonly entityId: string
  readonly status: number
  readonly headers: ResponseHeaders
  /** Of the upstream. */
  readonly floor: number
}

export interface Adaptive {
  observe(target: Target, response: ObservedResponse): void
  /** Forgets a target whose upstream is not adaptive any more. */
  forget(target: Target): void
  /**
   * The pace of an entity's requests to a model with these upstreams; undefined: its limits alone apply. Another upstream with
   * a larger factor takes what this one does not.
   */
  paceOf(targets: readonly Target[], entityId: string): Pace | undefined
  /** False: every factor is 1. */
  isAnyPressed(): boolean
  /** Of targets whose factor is below 1. */
  factors(): readonly (Target & { readonly factor: number })[]
}

/** What is left of the factor each time it is lowered. */
export const DECREASE = 0.75

/** How much the factor grows per second: slowly for two windows of a minute, at whose ends upstreams answer 429. */
export const SLOW_INCREASE = 0.002

export const INCREASE = 0.01

export const PROBE_NS = 120n * SECOND_NS

/** After the factor was lowered, so long it is not raised, to observe the effect; longer if the upstream names a wait. */
export const LEAST_HOLD_NS = 5n * SECOND_NS

export const MOST_HOLD_NS = 60n * SECOND_NS

/** A factor that has not denied anything yet has had no effect: so soon it may be lowered again. */
export const LEAST_PAUSE_NS = SECOND_NS

/** Others than these share the upstream no longer. */
const ALONE_NS = 60n * SECOND_NS

/** Pressure counts if two entities meet it within this time. */
const TOGETHER_NS = 10n * SECOND_NS

const MAX_TARGETS = 1_000

/** The factor of a target, while it is below 1. All times by the monotonic clock. */
export interface Pressed {
  /** Until `heldUntil`. Then it grows. */
  readonly factor: number
  readonly heldUntil: bigint
  readonly mayLowerAt: bigint
  /** The hold of the last decrease: how long it lasts once it has denied something. */
  readonly untilLowered: bigint
  /** When the factor fell below 1. */
  readonly since: bigint
}

export const factorAt = ({ factor, heldUntil }: Pressed, now: bigint): number => {
  if (now <= heldUntil) return factor
  const growing = Number(now - heldUntil) / 1e9
  const slow = Math.min(growing, PROBE_SECONDS)
  return Math.min(1, factor + slow * SLOW_INCREASE + (growing - slow) * INCREASE)
}

const PROBE_SECONDS = Number(PROBE_NS) / 1e9

/** ns until the factor is 1 if nothing else happens. */
export const recoveryNs = ({ factor, heldUntil }: Pressed, now: bigint): bigint => {
  const slow = Math.min((1 - factor) / SLOW_INCREASE, PROBE_SECONDS)
  const fast = Math.max(0, 1 - factor - slow * SLOW_INCREASE) / INCREASE
  // a millisecond more than the sum of doubles
  return larger(0n, heldUntil + BigInt(Math.ceil((slow + fast) * 1000) + 1) * MS_NS - now)
}

/** The state after pressure at `now`. `waitNs`: as the upstream names it; undefined: it names none. */
export const pressed = (
  before: Pressed | undefined,
  { now, floor, waitNs = 0n }: { readonly now: bigint; readonly floor: number; readonly waitNs?: bigint },
): Pressed => {
  const hold = smaller(MOST_HOLD_NS, larger(LEAST_HOLD_NS, waitNs))
  const heldUntil = larger(before?.heldUntil ?? 0n, now + hold)
  const factor = before === undefined ? 1 : factorAt(before, now)
  if (before !== undefined && now < before.mayLowerAt) return { ...before, factor, heldUntil }
  return {
    factor: Math.max(floor, factor * DECREASE),
    heldUntil,
    mayLowerAt: now + LEAST_PAUSE_NS,
    untilLowered: now + hold,
    since: before?.since ?? now,
  }
}

/** The state after a denial by the factor: its effect is awaited. */
const biting = (state: Pressed): Pressed => ({
  ...state,
  mayLowerAt: larger(state.mayLowerAt, state.untilLowered),
})

/** What is known of a target. */
interface Observed extends Target {
  calls: Recent
  pressures: Recent
  state: Pressed | undefined
  /** The only entity to which the factor applies; null: it applies to all. */
  only: string | null
}

export const createAdaptive = (clock: Clock): Adaptive => {
  const targets = createTargets()

  const press = (target: Observed, { entityId, headers, floor }: ObservedResponse, now: bigint): void => {
    const scope = scopeOf(target, entityId, now)
    target.pressures = noted(target.pressures, entityId, now)
    if (scope === undefined) return
    const only = scope === 'all' ? null : entityId
    // what one caller alone has lowered applies neither to all nor to another one
    const before = target.only === null || target.only === only ? targets.current(target, now) : undefined
    const waitNs = BigInt(Math.ceil(waitMsIn(headers, clock.now()) ?? 0)) * MS_NS
    target.only = only
    targets.setState(target, pressed(before, { now, floor, waitNs }))
  }

  return {
    forget: targets.forget,
    observe(target, response) {
      const now = clock.monotonic()
      const known = targets.observed(target)
      const isPressed = response.status === 429 || isLittleLeft(response.headers, clock.now())
      if (isPressed) press(known, response, now)
      known.calls = noted(known.calls, response.entityId, now)
    },
    isAnyPressed: targets.isAnyPressed,
    paceOf(asked, entityId) {
      const now = clock.monotonic()
      const found = asked.map((target) => targets.pressedFor(target, entityId, now))
      return largestPace(found, now)
    },
    factors() {
      const now = clock.monotonic()
      return targets.all().flatMap((target) => {
        const state = targets.current(target, now)
        const { upstream, model } = target
        return state === undefined ? [] : [{ upstream, model, factor: factorAt(state, now) }]
      })
    },
  }
}

/** Targets by name. */
const createTargets = () => {
  const observed = new Map<string, Observed>()
  /** How many have a state: without any, no request is looked up. */
  let pressedCount = 0

  const setState = (target: Observed, state: Pressed | undefined): void => {
    pressedCount += Number(state !== undefined) - Number(target.state !== undefined)
    target.state = state
  }
  const current = (target: Observed, now: bigint): Pressed | undefined => {
    if (target.state !== undefined && factorAt(target.state, now) >= 1) setState(target, undefined)
    return target.state
  }
  const forget = (target: Target): void => {
    if (observed.size === 0) return
    const known = observed.get(targetKey(target))
    if (known === undefined) return
    setState(known, undefined)
    observed.delete(targetKey(target))
  }
  return {
    setState,
    current,
    forget,
    isAnyPressed: () => pressedCount > 0,
    all: () => [...observed.values()],
    observed(target: Target): Observed {
      const known = observed.get(targetKey(target))
      if (known !== undefined) return known
      const [oldest] = observed.size < MAX_TARGETS ? [] : observed.values()
      if (oldest !== undefined) forget(oldest)
      const { upstream, model } = target
      const created = { upstream, model, calls: NONE, pressures: NONE, state: undefined, only: null }
      observed.set(targetKey(target), created)
      return created
    },
    pressedFor(target: Target, entityId: string, now: bigint): Observed | undefined {
      const known = observed.get(targetKey(target))
      if (known === undefined || current(known, now) === undefined) return undefined
      return known.only === null || known.only === entityId ? known : undefined
    },
  }
}

/** Whether pressure on this entity's request counts, and for whom. What one caller provokes must not slow down others. */
const scopeOf = (target: Observed, entityId: string, now: bigint): 'all' | 'own' | undefined => {
  if (hasOther(target.pressures, entityId, now - TOGETHER_NS)) return 'all'
  return hasOther(target.calls, entityId, now - ALONE_NS) ? undefined : 'own'
}

/** Of the target with the largest factor; undefined if one of them admits all. */
const largestPace = (targets: readonly (Observed | undefined)[], now: bigint): Pace | undefined => {
  let largest: { readonly target: Observed; readonly state: Pressed } | undefined
  for (const target of targets) {
    if (target?.state === undefined) return undefined
    const { state } = target
    if (largest === undefined || factorAt(state, now) > factorAt(largest.state, now))
      largest = { target, state }
  }
  if (largest === undefined) return undefined
  const { target, state } = largest
  return {
    factor: factorAt(state, now),
    recoveryNs: recoveryNs(state, now),
    since: state.since,
    onDenial() {
      if (target.state !== undefined) target.state = biting(target.state)
    },
  }
}

interface Occurrence {
  readonly entityId: string
  readonly at: bigint
}

/** The two entities that came last: of any entity, they show whether there was another one. */
type Recent = readonly [] | readonly [Occurrence] | readonly [Occurrence, Occurrence]

const NONE: Recent = []

const noted = (recent: Recent, entityId: string, at: bigint): Recent => {
  const other = recent.find((each) => each.entityId !== entityId)
  return other === undefined ? [{ entityId, at }] : [{ entityId, at }, other]
}

const hasOther = (recent: Recent, entityId: string, since: bigint): boolean =>
  recent.some((each) => each.entityId !== entityId && each.at >= since)
