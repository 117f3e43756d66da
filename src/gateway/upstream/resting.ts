import { downToMs, SECOND_NS } from '../../core/model/time.ts'
import type { Clock } from '../../core/ports/platform.ts'
import type { LastFailure, UpstreamState } from '../../core/ports/upstreams.ts'

/** A model at an upstream. */
export interface Target {
  readonly upstream: string
  /** The model's name at the upstream. */
  readonly model: string
}

/** A target as the key of a map. The name of an upstream contains no space. */
export const targetKey = ({ upstream, model }: Target): string => `${upstream} ${model}`

export interface TargetFailure {
  /** A status, or the cause of a broken exchange. */
  readonly cause: string
  /**
   * Whose request failed; null: no connection was made, which no request can cause. One caller can provoke other failures, and
   * must not make an upstream rest for others.
   */
  readonly entityId: string | null
}

/** Which models at which upstreams have failed lately, in this process. */
export interface Resting {
  /** Those of `targets` that do not rest, in their order; if all rest, the one that has rested longest. */
  available<T extends Target>(targets: readonly T[]): readonly T[]
  /** Whether the target begins to rest. */
  failed(target: Target, failure: TargetFailure): boolean
  states(): readonly Omit<UpstreamState, 'factor'>[]
}

/** So many failures within `WINDOW_NS` make a target rest for `REST_NS`. */
const MOST_FAILURES = 3

const WINDOW_NS = 10n * SECOND_NS

const REST_NS = 30n * SECOND_NS

/** Failures that others than a connection's cause count only if they are of so many entities. */
const LEAST_ENTITIES = 2

/** Targets in memory: more than anyone configures. */
const MAX_TARGETS = 1_000

interface Counted {
  readonly entityId: string | null
  readonly at: bigint
}

interface Observed extends Target {
  readonly recent: readonly Counted[]
  /** By the monotonic clock; undefined: it has not rested. */
  readonly restsSince: bigint | undefined
  readonly last: LastFailure
}

export const createResting = (clock: Clock): Resting => {
  const observed = new Map<string, Observed>()

  const restsSince = (target: Target, now: bigint): bigint | undefined => {
    // nothing has failed, in general
    if (observed.size === 0) return undefined
    const since = observed.get(targetKey(target))?.restsSince
    return since !== undefined && now - since < REST_NS ? since : undefined
  }

  return {
    available(targets) {
      if (observed.size === 0 || targets.length < 2) return targets
      const now = clock.monotonic()
      const awake = targets.filter((target) => restsSince(target, now) === undefined)
      if (awake.length > 0) return awake
      const longest = targets.reduce((a, b) =>
        (restsSince(b, now) ?? now) < (restsSince(a, now) ?? now) ? b : a,
      )
      return [longest]
    },
    failed(target, { cause, entityId }) {
      const now = clock.monotonic()
      const before = observed.get(targetKey(target))
      const recent = withFailure(before?.recent ?? [], { entityId, at: now })
      const rests = countedOf(recent) >= MOST_FAILURES
      const wasResting = restsSince(target, now) !== undefined
      observed.delete(targetKey(target))
      observed.set(targetKey(target), {
        upstream: target.upstream,
        model: target.model,
        recent: rests ? [] : recent,
        restsSince: rests ? now : before?.restsSince,
        last: { cause, at: clock.now() },
      })
      if (observed.size > MAX_TARGETS) dropOldest(observed)
      return rests && !wasResting
    },
    states() {
      const now = clock.monotonic()
      return [...observed.values()].map((state) => {
        const since = restsSince(state, now)
        return {
          upstream: state.upstream,
          model: state.model,
          restsUntil: since === undefined ? null : clock.now() + downToMs(since + REST_NS - now),
          lastFailure: state.last,
        }
      })
    },
  }
}

/** Of one entity as many as can count beside another's: a caller with many failures takes no place from others. */
const withFailure = (recent: readonly Counted[], failure: Counted): readonly Counted[] => {
  const inWindow = recent.filter(({ at }) => failure.at - at < WINDOW_NS)
  const own = inWindow.filter(({ entityId }) => entityId === failure.entityId)
  const kept = own.length < MOST_FAILURES ? inWindow : inWindow.filter((each) => each !== own[0])
  return [...kept, failure]
}

const countedOf = (recent: readonly Counted[]): number => {
  const entities = new Set(recent.flatMap(({ entityId }) => entityId ?? []))
  return entities.size >= LEAST_ENTITIES
    ? recent.length
    : recent.filter(({ entityId }) => entityId === null).length
}

const dropOldest = (observed: Map<string, Observed>): void => {
  const [oldest] = observed.keys()
  if (oldest !== undefined) observed.delete(oldest)
}
