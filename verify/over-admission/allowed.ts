import type { Use } from './use.ts'

/** What a limit promises, in terms that share nothing with the limiter's code. */
export type Bound =
  /** In any span of T seconds: capacity + perSecond × T. */
  | { readonly kind: 'span'; readonly capacity: number; readonly perSecond: number }
  /** In any `seconds` in a row. */
  | { readonly kind: 'window'; readonly limit: number; readonly seconds: number }
  /**
   * In each minute of the clock. A request that is asked in one minute and answered in the next may count in either: the
   * node reads its clock before it writes.
   */
  | { readonly kind: 'minute'; readonly limit: number }

/** The span that comes nearest to what is allowed in it, or furthest beyond. */
export interface WorstSpan {
  readonly used: number
  readonly allowed: number
  /** used − allowed, never below 0 */
  readonly over: number
}

const SECOND_NS = 1e9
const MINUTE_NS = 60 * SECOND_NS

/** Times in ns since the first use: exact as numbers. */
interface Point {
  readonly at: number
  readonly until: number
  readonly askedAt: number
  readonly amount: number
  readonly knownFrom: number | undefined
}

/**
 * Looks at every span that ends with an admission and begins with a use, or at every row of minutes: nothing but the times and
 * amounts of what was admitted. `uses` in order of time.
 */
export const worstSpan = (bound: Bound, uses: readonly Use[]): WorstSpan => {
  const { points, originNs } = pointsOf(uses)
  if (bound.kind === 'minute') return worstMinutes(bound.limit, points, originNs)
  let worst: WorstSpan = { used: 0, allowed: allowedIn(bound, 0), over: 0 }
  points.forEach((end, index) => {
    if (end.knownFrom !== undefined) return
    const before = points.slice(0, lastAt(points, index) + 1).filter((point) => isKnownTo(point, end))
    worst = worse(worst, worstEndingAt(end, before, bound))
  })
  return worst
}

/** What surely lies within a row of minutes is at most the limit for each of them; so there is a minute for each admission. */
const worstMinutes = (limit: number, points: readonly Point[], originNs: number): WorstSpan => {
  const minuteOf = (ns: number): number => Math.floor((ns + originNs) / MINUTE_NS)
  const minutes = [...new Set(points.flatMap(({ at, until }) => [minuteOf(at), minuteOf(until)]))]
  let worst: WorstSpan = { used: 0, allowed: limit, over: 0 }
  for (const first of minutes)
    for (const last of minutes.filter((minute) => minute >= first)) {
      const within = points.filter(({ at, until }) => minuteOf(at) >= first && minuteOf(until) <= last)
      const used = sumOf(first === last ? knownAtTheEnd(within) : within.filter(isAdmitted))
      const allowed = limit * (last - first + 1)
      worst = worse(worst, { used, allowed, over: Math.max(0, used - allowed) })
    }
  return worst
}

/** What the admission that was asked last knew of, and all admissions. */
const knownAtTheEnd = (points: readonly Point[]): readonly Point[] => {
  const askedAt = Math.max(...points.filter(isAdmitted).map((point) => point.askedAt))
  return points.filter(({ knownFrom }) => knownFrom === undefined || knownFrom <= askedAt)
}

const isAdmitted = ({ knownFrom }: Point): boolean => knownFrom === undefined

const sumOf = (points: readonly Point[]): number => points.reduce((sum, { amount }) => sum + amount, 0)

const worstEndingAt = (end: Point, before: readonly Point[], bound: Bound): WorstSpan => {
  let worst: WorstSpan = { used: 0, allowed: allowedIn(bound, 0), over: 0 }
  let used = 0
  for (const { at, amount } of before.toReversed()) {
    if (bound.kind === 'window' && at <= end.at - bound.seconds * SECOND_NS) break
    used += amount
    const allowed = allowedIn(bound, end.at - at)
    worst = worse(worst, { used, allowed, over: Math.max(0, used - allowed) })
  }
  return worst
}

const isKnownTo = ({ knownFrom }: Point, { askedAt }: Point): boolean =>
  knownFrom === undefined || knownFrom <= askedAt

/** Of two spans the one that comes nearer to what is allowed, or further beyond; the first of two alike. */
export const worse = (a: WorstSpan, b: WorstSpan): WorstSpan =>
  b.used - b.allowed > a.used - a.allowed ? b : a

/**
 * The share of what is allowed that was used, over the whole log: 1 where callers got all. Of a window: how much of its limit
 * was used in `seconds` on average, up to the last time that the window filled up; NaN where that is too short to tell.
 */
export const shareUsed = (bound: Bound, uses: readonly Use[]): number => {
  const { points, originNs } = pointsOf(uses)
  const total = sumOf(points)
  if (bound.kind === 'span') return total / allowedIn(bound, points.at(-1)?.at ?? 0)
  if (bound.kind === 'window') return shareOfWindows(bound, points, total - bound.limit)
  const minutes = new Set(points.map(({ at }) => Math.floor((at + originNs) / MINUTE_NS)))
  return total / (bound.limit * minutes.size)
}

/** So many windows the least, for the ends of the log not to weigh more than what lies between. */
const ENOUGH_WINDOWS = 3

/** `before`: how much was used before the last whole limit. */
const shareOfWindows = (
  { limit, seconds }: Extract<Bound, { readonly kind: 'window' }>,
  points: readonly Point[],
  before: number,
): number => {
  let used = 0
  const filling = points.find(({ amount }) => {
    used += amount
    return used > before
  })
  const windows = (filling?.at ?? 0) / (seconds * SECOND_NS)
  return windows >= ENOUGH_WINDOWS ? before / (limit * windows) : Number.NaN
}

const allowedIn = (bound: Bound, spanNs: number): number =>
  bound.kind === 'span'
    ? Math.floor(bound.capacity + (bound.perSecond * spanNs) / SECOND_NS + 1e-6)
    : bound.limit

/** The last of the points that are as late as the one at `index`. */
const lastAt = (points: readonly Point[], index: number): number => {
  let last = index
  while (points[last + 1]?.at === points[index]?.at && last + 1 < points.length) last++
  return last
}

/** `originNs`: how far the first use lies within its minute. */
const pointsOf = (uses: readonly Use[]): { readonly points: readonly Point[]; readonly originNs: number } => {
  const origin = uses[0]?.at ?? 0n
  const points = uses.map(({ at, until, askedAt, amount, knownFrom }) => ({
    at: Number(at - origin),
    until: Number(until - origin),
    askedAt: Number(askedAt - origin),
    amount,
    knownFrom: knownFrom === undefined ? undefined : Number(knownFrom - origin),
  }))
  return { points, originNs: Number(origin % BigInt(MINUTE_NS)) }
}
