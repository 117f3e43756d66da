/** The clocks of services. The core's rules take time as an argument. */
export interface Clock {
  /** Wall clock: ns since the epoch. */
  now(): bigint
  /** Monotonic clock: ns from an arbitrary start, for ages and deadlines. */
  monotonic(): bigint
  /** Both clocks, if reading them together is faster. The same object may be returned for a whole millisecond. */
  moment?(): Moment
}

/** A time by both clocks. */
export interface Moment {
  readonly now: bigint
  readonly monotonic: bigint
}

export const momentOf = (clock: Clock): Moment =>
  clock.moment?.() ?? { now: clock.now(), monotonic: clock.monotonic() }

/**
 * A moment as numbers. They are rounded, to 256 ns for the wall clock, but keep their order: an instant is before another only if
 * the moment is.
 */
export interface Instant {
  readonly nowNs: number
  readonly monotonicNs: number
}

let last: { readonly moment: Moment | undefined; readonly instant: Instant } = {
  moment: undefined,
  instant: { nowNs: 0, monotonicNs: 0 },
}

/** Computed once for the moments of a millisecond: it takes longer than the decisions that compare instants. */
export const instantOf = (moment: Moment): Instant => {
  if (moment !== last.moment)
    last = { moment, instant: { nowNs: Number(moment.now), monotonicNs: Number(moment.monotonic) } }
  return last.instant
}

/** A bounded map that drops the least recently used entry. The composition root supplies a library's. */
export interface Cache<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
}

export type CacheFactory = <V extends object>(options: { readonly max: number }) => Cache<V>

/** Writes structured log lines. Never pass a secret: mask it first. */
export interface Logger {
  /** False: debug lines are discarded, so callers need not create them. */
  readonly isDebugOn?: boolean
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

export const silentLogger: Logger = { isDebugOn: false, debug() {}, info() {}, warn() {}, error() {} }

/** Every metric that zael counts. Labels have few values: no ids. */
export type MetricName =
  | 'decisions_allowed'
  | 'decisions_denied'
  | 'decisions_degraded'
  | 'decisions_contended'
  | 'limits_near'
  | 'limits_exceeded'
  | 'bucket_writes'
  | 'bucket_reads'
  | 'charges_throttled'
  | 'refunds_lost'
  | 'authentication_failures'
  | 'usage_hours_recorded'
  | 'usage_records_failed'
  | 'alerts_raised'
  | 'alerts_delivered'
  | 'alerts_failed'
  | 'alert_attempts_failed'

export interface Metrics {
  /** Adds `by` (1) to a counter. */
  count(name: MetricName, by?: number): void
}

export const noMetrics: Metrics = { count() {} }

/** Creates and hashes the secrets of API keys. */
export interface Secrets {
  /** A new secret: 256 random bits with a prefix and a checksum. */
  create(): string
  /** SHA-256, lower-case hexadecimal. */
  hash(secret: string): string
  /** A new unique id (key ids, audit ids, request ids). */
  id(): string
}
