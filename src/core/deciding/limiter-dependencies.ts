import type { BucketStore } from '../bucket/bucket-store.ts'
import type { Limit, OnUnavailable } from '../limit/limit.ts'
import type { CacheFactory } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { Logger } from '../ports/logger.ts'
import type { Metrics } from '../ports/metrics.ts'

export interface LimiterSettings {
  /** Limits of callers for which the table has neither limits nor defaults. */
  readonly defaultLimits: readonly Limit[]
  /** How old configuration may be, ms. */
  readonly configCacheMs: number
  /** After how long without an answer a charge is not tried again, ms. */
  readonly storeDeadlineMs: number
  /** For limits that do not say it themselves. */
  readonly onUnavailable: OnUnavailable
  /** Share of a limit that one process grants by itself where a limit says `local`. */
  readonly localShare: number
  /** False: everything is allowed, and counted. */
  readonly isEnabled: boolean
  /** How long real use may wait for a write to go along with, ms; 0 where nothing runs after the answer. */
  readonly useDelayMs: number
  /** How long tokens charged ahead may be kept, ms; 0: every decision asks the table. */
  readonly leaseTtlMs: number
}

export const DEFAULT_LIMITER_SETTINGS: LimiterSettings = {
  defaultLimits: [],
  configCacheMs: 30_000,
  storeDeadlineMs: 250,
  onUnavailable: 'deny',
  localShare: 0.1,
  isEnabled: true,
  useDelayMs: 1000,
  leaseTtlMs: 0,
}

export interface LimiterDependencies {
  readonly buckets: BucketStore
  /** Decides for limits that say `local` while `buckets` is away: a store in memory. */
  readonly localBuckets: BucketStore
  readonly config: ConfigStore
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly newCache: CacheFactory
  /** Waits a short while, at random, before a charge is tried again; longer where it has failed `tries` times. */
  pause(tries: number): Promise<void>
  readonly settings?: Partial<LimiterSettings>
}
