import type { LimiterSettings } from '../../src/core/deciding/limiter-dependencies.ts'
import type { Limit } from '../../src/core/limit/limit.ts'
import { usualLimits } from '../../src/core/limit/usual-limits.ts'
import type { HttpSettings } from '../../src/http/app-dependencies.ts'
import type { Settings } from './settings.ts'

/** The settings of the HTTP API. `streamIntervalMs` and `isLocalOnly`: see `HttpSettings`. */
export const httpSettings = (
  settings: Settings,
  version: string,
  { streamIntervalMs, isLocalOnly }: Pick<HttpSettings, 'streamIntervalMs' | 'isLocalOnly'>,
): HttpSettings => ({
  adminToken: settings.adminToken,
  viewerToken: settings.viewerToken,
  nodeId: settings.nodeId,
  version,
  defaultModel: settings.defaultModel,
  errorFormat: settings.errorFormat,
  maxBodyBytes: settings.maxBodyBytes,
  corsOrigins: settings.corsOrigins,
  trustedProxies: settings.trustedProxies,
  rateLimitingEnabled: settings.rateLimitingEnabled,
  bypassLimiter: settings.bypassLimiter,
  defaultRpmLimit: settings.defaultRpmLimit,
  defaultTpmLimit: settings.defaultTpmLimit,
  windowSeconds: settings.rateLimitWindowSeconds,
  configCacheMs: settings.configCacheSeconds * 1000,
  streamIntervalMs,
  isLocalOnly,
})

/** What the limiter needs to know of the settings. */
export const limiterSettings = (settings: Settings): Partial<LimiterSettings> => ({
  defaultLimits: defaultLimits(settings),
  configCacheMs: settings.configCacheSeconds * 1000,
  storeDeadlineMs: settings.storeDeadlineMs,
  onUnavailable: settings.onUnavailable,
  isEnabled: settings.rateLimitingEnabled,
  leaseTtlMs: settings.leaseTtlMs,
})

/** The limits of callers for whom the table has none. */
export const defaultLimits = (settings: Settings): readonly Limit[] =>
  usualLimits({
    rpm: settings.defaultRpmLimit,
    tpm: settings.defaultTpmLimit,
    windowSeconds: settings.rateLimitWindowSeconds,
  })
