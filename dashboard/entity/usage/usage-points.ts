import type { Usage } from '../../api/answers.ts'

export type Granularity = 'hour' | 'day'
export type UsagePoint = Omit<Usage['points'][number], 'resource'>

const UNIT_SECONDS = { hour: 3600, day: 86_400 } as const
const SHOWN = { hour: 24, day: 30 } as const

export interface Period {
  readonly granularity: Granularity
  /** Seconds since the epoch. */
  readonly now: number
}

const nothingAt = (start: number): UsagePoint => ({
  start,
  requests: 0,
  tokens: 0,
  input_tokens: 0,
  output_tokens: 0,
  cost_usd_micros: 0,
  denied: 0,
})

/** The use of each of the last 24 hours or 30 UTC days, also of those in which nothing was used; oldest first. */
export const usageOverTime = (
  points: Usage['points'],
  { granularity, now }: Period,
): readonly UsagePoint[] => {
  const unit = UNIT_SECONDS[granularity]
  // The server's clock may be ahead of this one.
  const last = Math.max(Math.floor(now / unit) * unit, ...points.map(({ start }) => start))
  const starts = Array.from({ length: SHOWN[granularity] }, (_, ago) => last - ago * unit).toReversed()
  return starts.map((start) => ({ ...sumOf(points.filter((point) => point.start === start)), start }))
}

/** All of `points` together. */
export const sumOf = (points: readonly UsagePoint[]): UsagePoint =>
  points.reduce(
    (sum, point) => ({
      start: sum.start,
      requests: sum.requests + point.requests,
      tokens: sum.tokens + point.tokens,
      input_tokens: sum.input_tokens + point.input_tokens,
      output_tokens: sum.output_tokens + point.output_tokens,
      cost_usd_micros: sum.cost_usd_micros + point.cost_usd_micros,
      denied: sum.denied + point.denied,
    }),
    nothingAt(0),
  )

/** The resources that were used, by name. */
export const usedResources = (points: Usage['points']): readonly string[] =>
  [...new Set(points.map(({ resource }) => resource))].toSorted()
