import type { Use } from './use.ts'

/** The bound that a limit guarantees, computed without any code of the limiter. */
export type Bound =
  /** In any span of T seconds: capacity + perSecond × T. */
  | { readonly kind: 'span'; readonly capacity: number; readonly perSecond: number }
  /** In any window of `seconds`. */
  | { readonly kind: 'window'; readonly limit: number; readonly seconds: number }
  /**
   * In each minute of the clock. A request that is sent in one minute and completes in the next may count in either: the
   * node reads its clock before it writes.
   */
  | { readonly kind: 'minute'; readonly limit: number }

/** The span whose use is closest to its bound, or exceeds it by the most. */
export interface WorstSpan {
  readonly used: number
  readonly allowed: number
  /** used − allowed, at least 0 */
  readonly over: number
}

const SECOND_NS = 1e9
const MINUTE_NS = 60 * SECOND_NS

/** Times in ns since the first use, so that they are exact as numbers. */
interface Point {
  readonly at: number
  readonly until: number
  readonly sentAt: number
  readonly amount: number
  readonly countsFrom: number | undefined
}

/**
 * Examines every span that starts with a use and ends with an admission, or every sequence of minutes. The only input is
 * the times and amounts of the admitted requests. `uses` must be in order of time.
 */
export const worstSpan = (bound: Bound, uses: readonly Use[]): WorstSpan => {
  const { points, originNs } = pointsOf(uses)
  if (bound.kind === 'minute') return worstMinutes(bound.limit, points, originNs)
  let worst: WorstSpan = { used: 0, allowed: allowedIn(bound, 0), over: 0 }
  points.forEach((end, index) => {
    if (end.countsFrom !== undefined) return
    const before = points.slice(0, lastAt(points, index) + 1).filter((point) => countsAt(point, end))
    worst = worse(worst, worstEndingAt(end, before, bound))
  })
  return worst
}

/**
 * Each admission can be assigned to a minute if the uses that certainly fall within any sequence of minutes total at
 * most the limit times the number of minutes.
 */
const worstMinutes = (limit: number, points: readonly Point[], originNs: number): WorstSpan => {
  const minuteOf = (ns: number): number => Math.floor((ns + originNs) / MINUTE_NS)
  const minutes = [...new Set(points.flatMap(({ at, until }) => [minuteOf(at), minuteOf(until)]))]
  let worst: WorstSpan = { used: 0, allowed: limit, over: 0 }
  for (const first of minutes)
    for (const last of minutes.filter((minute) => minute >= first)) {
      const within = points.filter(({ at, until }) => minuteOf(at) >= first && minuteOf(until) <= last)
      const used = sumOf(first === last ? countedAtTheEnd(within) : within.filter(isAdmitted))
      const allowed = limit * (last - first + 1)
      worst = worse(worst, { used, allowed, over: Math.max(0, used - allowed) })
    }
  return worst
}

/** All admissions, and the excess uses that were settled before the last of them was sent. */
const countedAtTheEnd = (points: readonly Point[]): readonly Point[] => {
  const sentAt = Math.max(...points.filter(isAdmitted).map((point) => point.sentAt))
  return points.filter(({ countsFrom }) => countsFrom === undefined || countsFrom <= sentAt)
}

const isAdmitted = ({ countsFrom }: Point): boolean => countsFrom === undefined

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

const countsAt = ({ countsFrom }: Point, { sentAt }: Point): boolean =>
  countsFrom === undefined || countsFrom <= sentAt

/** The one of two spans that is closer to its bound, or exceeds it by more; the first if they are equal. */
export const worse = (a: WorstSpan, b: WorstSpan): WorstSpan =>
  b.used - b.allowed > a.used - a.allowed ? b : a

/**
 * The used share of the allowed amount over the whole log; 1 if callers used all of it. For a window: the average share
 * of its limit that was used in `seconds`, up to the last time that the window was full; NaN if the log is too short to
 * compute it.
 */
export const shareUsed = (bound: Bound, uses: readonly Use[]): number => {
  const { points, originNs } = pointsOf(uses)
  const total = sumOf(points)
  if (bound.kind === 'span') return total / allowedIn(bound, points.at(-1)?.at ?? 0)
  if (bound.kind === 'window') return shareOfWindows(bound, points, total - bound.limit)
  const minutes = new Set(points.map(({ at }) => Math.floor((at + originNs) / MINUTE_NS)))
  return total / (bound.limit * minutes.size)
}

/** The minimum number of windows, so that the ends of the log do not dominate the average. */
const ENOUGH_WINDOWS = 3

/** `before`: the amount that was used before the last full limit. */
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

/** The last point with the same time as the point at `index`. */
const lastAt = (points: readonly Point[], index: number): number => {
  let last = index
  while (points[last + 1]?.at === points[index]?.at && last + 1 < points.length) last++
  return last
}

/** `originNs`: the offset of the first use within its minute. */
const pointsOf = (uses: readonly Use[]): { readonly points: readonly Point[]; readonly originNs: number } => {
  const origin = uses[0]?.at ?? 0n
  const points = uses.map(({ at, until, sentAt, amount, countsFrom }) => ({
    at: Number(at - origin),
    until: Number(until - origin),
    sentAt: Number(sentAt - origin),
    amount,
    countsFrom: countsFrom === undefined ? undefined : Number(countsFrom - origin),
  }))
  return { points, originNs: Number(origin % BigInt(MINUTE_NS)) }
}
