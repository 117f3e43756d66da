import type { Algorithm } from '../bucket/algorithm.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import { algorithmOf } from '../bucket/registry.ts'
import type { Priority } from '../model/entity.ts'
import { type Limit, MAX_LIMITS, MAX_SLIDING_WINDOWS } from '../model/limit.ts'
import type { CacheFactory } from '../ports/platform.ts'
import type { Layer } from './layers.ts'
import type { ApplicableBucket } from './resolution.ts'

/** An effective limit, and where it comes from. */
export interface ExplainedLimit {
  readonly limit: Limit
  readonly source: string
  /** What it overrode, nearest first. */
  readonly overrides: readonly { readonly limit: Limit; readonly source: string }[]
}

/**
 * The limits that hold, by name: the nearest layer that has one of that name wins. A default on `tokens` does not hold for
 * an entity that limits its input or output tokens itself.
 */
export const explainLimits = (layers: readonly Layer[]): readonly ExplainedLimit[] => {
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
export const effectiveLimits = (layers: readonly Layer[], version: bigint): readonly EffectiveLimit[] =>
  explainLimits(layers).map(({ limit, source }) => ({
    limit,
    source,
    version,
    algorithm: algorithmOf(limit.size),
    headroom: 0,
  }))

/** The limits as they bind a caller of `priority`. */
export const keepingHeadroom = (
  limits: readonly EffectiveLimit[],
  priority: Priority,
): readonly EffectiveLimit[] =>
  priority === 'high'
    ? limits
    : limits.map((effective) => ({ ...effective, headroom: effective.limit.headroom?.[priority] ?? 0 }))

/** Whether more limits would hold together than one bucket can keep: expressions end at 4 KB and 300 operators. */
export const areTooMany = (layers: readonly Layer[]): boolean => {
  const together = explainLimits(layers)
  const windows = together.filter(({ limit }) => limit.size.algorithm === 'sliding_window')
  return together.length > MAX_LIMITS || windows.length > MAX_SLIDING_WINDOWS
}

const isTokenPart = ({ meter }: Limit): boolean => meter === 'input_tokens' || meter === 'output_tokens'

/** Sizes of limits that are in use at once; far fewer than there are keys. */
const MAX_ALGORITHMS = 1000

/**
 * Gives limits of the same size the same algorithm. An algorithm is some kilobytes of functions, and
 * thousands of resolutions are cached, most of them of a handful of sizes. Its text determines all of it.
 */
export const createSharing = (newCache: CacheFactory): ((plan: ApplicableBucket) => ApplicableBucket) => {
  const known = newCache<Algorithm>({ max: MAX_ALGORITHMS })
  const shared = (algorithm: Algorithm): Algorithm => {
    const first = known.get(algorithm.text)
    if (first === undefined) known.set(algorithm.text, algorithm)
    return first ?? algorithm
  }
  return (plan) => ({
    ...plan,
    limits: plan.limits.map((effective) => ({ ...effective, algorithm: shared(effective.algorithm) })),
  })
}
