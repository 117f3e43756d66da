import { createLimiter, type Limiter, type LimiterSettings } from '../core/decide/limiter.ts'
import type { CacheFactory, Logger, Metrics } from '../core/ports/platform.ts'
import { newSlotPrefix, sha256, shortPause, systemClock } from '../platform/runtime.ts'
import { defaultLimits } from '../settings/read-settings.ts'
import type { Settings } from '../settings/settings.ts'
import { createMemoryBucketStore } from '../store/memory/bucket-store.ts'
import type { DecidingStores } from './table.ts'

export interface LimiterParts {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly caches: CacheFactory
  readonly table: Pick<DecidingStores, 'buckets' | 'config'>
  /** Whether the process runs between requests; on Lambda it does not. */
  readonly runsBetweenRequests: boolean
}

/** The limiter of a table by the settings of a process. */
export const composeLimiter = (settings: Settings, parts: LimiterParts): Limiter =>
  createLimiter({
    logger: parts.logger,
    metrics: parts.metrics,
    buckets: parts.table.buckets,
    localBuckets: createMemoryBucketStore(),
    config: parts.table.config,
    clock: systemClock,
    newCache: parts.caches,
    pause: shortPause,
    slotPrefix: newSlotPrefix(),
    hash: sha256,
    settings: limiterSettings(settings, parts),
  })

const limiterSettings = (
  settings: Settings,
  { runsBetweenRequests }: Pick<LimiterParts, 'runsBetweenRequests'>,
): Partial<LimiterSettings> => ({
  defaultLimits: defaultLimits(settings),
  configCacheMs: settings.configCacheSeconds * 1000,
  storeDeadlineMs: settings.storeDeadlineMs,
  onUnavailable: settings.onUnavailable,
  isEnabled: settings.rateLimitingEnabled,
  leaseTtlMs: settings.leaseTtlMs,
  ...(runsBetweenRequests ? { sharesRefunds: true } : { useDelayMs: 0 }),
})

/** Writes refunds and counts that are due, or all that are pending. Never throws: the log contains the error. */
export const flushOf =
  (limiter: Limiter, logger: Logger) =>
  (options: { readonly all?: boolean } = {}): Promise<void> =>
    limiter.flush(options).catch((error: unknown) => logger.warn('counts not written', { error }))
