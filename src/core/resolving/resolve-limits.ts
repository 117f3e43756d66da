import { algorithmOf } from '../algorithms/registry.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import type { EffectiveLimit } from '../deciding/decision.ts'
import type { Priority } from '../entity/entity.ts'
import { type Limit, MAX_LIMITS, MAX_SLIDING_WINDOWS } from '../limit/limit.ts'
import type { Layer } from './layers.ts'

/**
 * The limits that hold, by name: the nearest layer that has one of that name wins. A default on `tokens` does not hold for
 * an entity that limits its input or output tokens itself.
 */
export const effectiveLimits = (layers: readonly Layer[]): readonly EffectiveLimit[] => {
  const splitsTokens = layers.some(({ isOwn, limits }) => isOwn && limits.some(isTokenPart))
  const candidates = layers.flatMap(({ source, limits, isOwn }) =>
    limits
      .filter(({ meter }) => isOwn || !splitsTokens || meter !== 'tokens')
      .map((limit) => ({ limit, source })),
  )
  const names = [...new Set(candidates.map(({ limit }) => limit.name))]
  return names.flatMap((name) => {
    const [winner, ...overrides] = candidates.filter(({ limit }) => limit.name === name)
    return winner ? [{ ...winner, overrides }] : []
  })
}

/** The limits as a bucket is charged by them; `version` is the greatest of all that they were resolved from. */
export const limitsInForce = (layers: readonly Layer[], version: bigint): readonly LimitInForce[] =>
  effectiveLimits(layers).map(({ limit, source }) => ({
    limit,
    source,
    version,
    algorithm: algorithmOf(limit.size),
    headroom: 0,
  }))

/** The limits as they bind a caller of `priority`. */
export const keepingHeadroom = (
  limits: readonly LimitInForce[],
  priority: Priority,
): readonly LimitInForce[] =>
  priority === 'high'
    ? limits
    : limits.map((inForce) => ({ ...inForce, headroom: inForce.limit.headroom?.[priority] ?? 0 }))

/** Whether more limits would hold together than one bucket can keep: expressions end at 4 KB and 300 operators. */
export const areTooMany = (layers: readonly Layer[]): boolean => {
  const together = effectiveLimits(layers)
  const windows = together.filter(({ limit }) => limit.size.algorithm === 'sliding_window')
  return together.length > MAX_LIMITS || windows.length > MAX_SLIDING_WINDOWS
}

const isTokenPart = ({ meter }: Limit): boolean => meter === 'input_tokens' || meter === 'output_tokens'
