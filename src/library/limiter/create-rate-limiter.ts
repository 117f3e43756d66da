import { createLimiter } from '../../core/deciding/create-limiter.ts'
import type { Decision, Limiter } from '../../core/deciding/decision.ts'
import type { LimiterDependencies } from '../../core/deciding/limiter-dependencies.ts'
import { isId } from '../../core/entity/entity.ts'
import { invalid, ZaelError } from '../../core/errors.ts'
import type { OnUnavailable } from '../../core/limit/limit.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import type { Logger } from '../../core/ports/logger.ts'
import { type Metrics, noMetrics } from '../../core/ports/metrics.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { lruCaches } from '../../platform/lru-caches.ts'
import { shortPause } from '../../platform/short-pause.ts'
import { systemClock } from '../../platform/system-clock.ts'
import { createMemoryBucketStore } from '../../store/memory/memory-bucket-store.ts'
import type { LimiterStore } from '../stores/limiter-store.ts'
import { describedDecision } from './described-decision.ts'
import { createEnabledCheck } from './enabled-entities.ts'
import { createEntityIds } from './entity-ids.ts'
import { createFlushTimer } from './flush-timer.ts'
import { createKeysUnderWay } from './keys-under-way.ts'
import { type CodeLimits, createConfigInCode } from './limits-in-code.ts'
import type { CheckOptions, RateLimiter, RateLimitReservation } from './rate-limiter.ts'

interface CommonOptions {
  readonly store: LimiterStore
  /** For limits that do not say `on_unavailable` themselves: what to answer while the store is away. Default `deny`. */
  readonly onUnavailable?: OnUnavailable
  /** Default: one line each on stderr, debugging left out. */
  readonly logger?: Logger
  readonly metrics?: Metrics
  /** Default: the machine's. */
  readonly clock?: Clock
}

/** Limits that the app states itself, for keys that need not exist anywhere. */
export interface LimitsInCode extends CommonOptions, CodeLimits {
  readonly config?: 'code'
  /** Tells the buckets of several limiters on one store apart: 1 to 48 of A-Z a-z 0-9 . _ : @ -. Default `app`. */
  readonly name?: string
}

/** Entities, limits and policies as a deployed zael keeps them in the store's table; keys are ids of entities. */
export interface LimitsInTable extends CommonOptions {
  readonly config: 'table'
}

export type RateLimiterOptions = LimitsInCode | LimitsInTable

/**
 * Makes a rate limiter. Throws `ZaelError('invalid_request')` that names the field, where a limit cannot be.
 *
 * @example
 * const limiter = createRateLimiter({
 *   store: memoryStore(),
 *   limits: [{ name: 'rpm', capacity: 60, refill_rate: 1 }],
 * })
 * const { allowed, retryAfterMs } = await limiter.check('user-42')
 */
export const createRateLimiter = (options: RateLimiterOptions): RateLimiter => {
  const clock = options.clock ?? systemClock
  const logger = options.logger ?? createConsoleLogger('info')
  const target = options.config === 'table' ? inTable(options, clock) : inCode(options)
  const limiter = createLimiter(dependenciesOf(options, target.config, clock, logger))
  const timer = createFlushTimer(() => limiter.flush(), logger)
  const decide = createDecide(limiter, target)

  return {
    async check(key, options = {}) {
      timer.start()
      return describedDecision(await decide(key, options, false), clock.now())
    },
    async reserve(key, options = {}) {
      timer.start()
      return reservationOf(await decide(key, options, true), clock.now())
    },
    flush: () => limiter.flush({ all: true }),
    close() {
      timer.stop()
      return limiter.flush({ all: true })
    },
  }
}

/** Where the limits come from, and how a key becomes an entity's id there. */
interface Target {
  readonly config: ConfigStore
  idOf(key: string): string
  during<T>(id: string, key: string, decide: () => Promise<T>): Promise<T>
}

const inCode = (options: LimitsInCode): Target => {
  const keys = createKeysUnderWay()
  return {
    config: createConfigInCode(options, keys.keyOf),
    idOf: createEntityIds(options.name ?? 'app'),
    during: keys.during,
  }
}

const inTable = ({ store }: LimitsInTable, clock: Clock): Target => {
  if (store.config === undefined) throw invalid('store', 'be a table where config is table')
  const checkEnabled = createEnabledCheck(store.config, clock)
  return {
    config: store.config,
    idOf: entityIdOf,
    async during(id, _key, decide) {
      await checkEnabled(id)
      return decide()
    },
  }
}

const entityIdOf = (key: string): string => {
  if (!isId(key)) throw new ZaelError('not_found', 'there is no entity of this key', { field: 'key' })
  return key
}

const createDecide =
  (limiter: Limiter, { idOf, during }: Target) =>
  async (key: string, options: CheckOptions, settles: boolean): Promise<Decision> => {
    const entityId = idOf(key)
    const request = { ...options, cost: options.cost ?? { requests: 1 }, entityId, settles }
    return during(entityId, key, () => limiter.decide(request))
  }

const reservationOf = (decision: Decision, decidedAtNs: bigint): RateLimitReservation => ({
  ...describedDecision(decision, decidedAtNs),
  settle: async (actual) => {
    if (decision.allowed) await decision.reservation.settle(actual)
  },
  release: async () => {
    if (decision.allowed) await decision.reservation.release()
  },
})

const dependenciesOf = (
  { store, metrics, onUnavailable }: RateLimiterOptions,
  config: ConfigStore,
  clock: Clock,
  logger: Logger,
): LimiterDependencies => ({
  buckets: store.buckets,
  localBuckets: createMemoryBucketStore(),
  config,
  clock,
  logger,
  metrics: metrics ?? noMetrics,
  newCache: lruCaches,
  pause: shortPause,
  ...(onUnavailable !== undefined && { settings: { onUnavailable } }),
})
