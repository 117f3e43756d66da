import type { Algorithm } from '../bucket/algorithm.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import { algorithmOf } from '../bucket/registry.ts'
import type { Priority } from '../model/entity.ts'
import { type Limit, MAX_CONCURRENCY_LIMITS, MAX_LIMITS, MAX_SLIDING_WINDOWS } from '../model/limit.ts'
import type { CacheFactory } from '../ports/platform.ts'
import type { Layer } from './layers.ts'
import type { ApplicableBucket } from './resolution.ts'

/** An effective limit and its source. */
export interface ExplainedLimit {
  readonly limit: Limit
  readonly source: string
  /** The limits that it overrides, nearest first. */
  readonly overrides: readonly { readonly limit: Limit; readonly source: string }[]
}

/**
 * The effective limits: for each name the limit of the nearest layer that has one. A default on `tokens` does not apply to an
 * entity that has its own limit on input or output tokens.
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

/** The limits by which a bucket is charged; `version` is the greatest of all layers. */
export const effectiveLimits = (layers: readonly Layer[], version: bigint): readonly EffectiveLimit[] =>
  explainLimits(layers).map(({ limit, source }) => ({
    limit,
    source,
    version,
    algorithm: algorithmOf(limit.size),
    headroom: 0,
  }))

/** The limits as they apply to a caller of `priority`. */
export const keepingHeadroom = (
  limits: readonly EffectiveLimit[],
  priority: Priority,
): readonly EffectiveLimit[] =>
  priority === 'high'
    ? limits
    : limits.map((effective) => ({ ...effective, headroom: effective.limit.headroom?.[priority] ?? 0 }))

/** Whether more limits would apply than one bucket can contain: expressions have at most 4 KB and 300 operators. */
export const areTooMany = (layers: readonly Layer[]): boolean => {
  const together = explainLimits(layers)
  const of = (name: Algorithm['name']) => together.filter(({ limit }) => limit.size.algorithm === name).length
  return (
    together.length > MAX_LIMITS ||
    of('sliding_window') > MAX_SLIDING_WINDOWS ||
    of('concurrency') > MAX_CONCURRENCY_LIMITS
  )
}

const isTokenPart = ({ meter }: Limit): boolean => meter === 'input_tokens' || meter === 'output_tokens'

/** The maximum number of cached sizes; far fewer are in use than there are keys. */
const MAX_ALGORITHMS = 1000

/**
 * Replaces equal algorithms, limits and lists of limits by one object. An algorithm takes some kilobytes, and thousands of
 * resolutions are cached, most of them with few different sizes. Decisions over many keys are bound by reading memory, and
 * these objects then stay in the processor's caches. An algorithm's text determines it completely.
 */
export const createSharing = (newCache: CacheFactory): ((bucket: ApplicableBucket) => ApplicableBucket) => {
  const known = newCache<Algorithm>({ max: MAX_ALGORITHMS })
  const shared = (algorithm: Algorithm): Algorithm => {
    const first = known.get(algorithm.text)
    if (first === undefined) known.set(algorithm.text, algorithm)
    return first ?? algorithm
  }
  /** The last effective limit of a limit, and the last list that begins with an effective limit. */
  const ofLimit = new WeakMap<Limit, EffectiveLimit>()
  const lists = new WeakMap<EffectiveLimit, readonly EffectiveLimit[]>()
  const sharedLimit = (effective: EffectiveLimit): EffectiveLimit => {
    const last = ofLimit.get(effective.limit)
    if (last !== undefined && isSame(last, effective)) return last
    const made = { ...effective, algorithm: shared(effective.algorithm) }
    ofLimit.set(effective.limit, made)
    return made
  }
  const sharedList = (limits: readonly EffectiveLimit[]): readonly EffectiveLimit[] => {
    const [first] = limits
    if (first === undefined) return limits
    const last = lists.get(first)
    if (last?.length === limits.length && last.every((each, at) => each === limits[at])) return last
    lists.set(first, limits)
    return limits
  }
  return (bucket) => ({ ...bucket, limits: sharedList(bucket.limits.map(sharedLimit)) })
}

const isSame = (a: EffectiveLimit, b: EffectiveLimit): boolean =>
  a.algorithm.text === b.algorithm.text &&
  a.version === b.version &&
  a.since === b.since &&
  a.source === b.source &&
  a.headroom === b.headroom &&
  a.scheduled?.until === b.scheduled?.until
