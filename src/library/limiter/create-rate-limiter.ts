import { configBehind, createCircuit } from '../../core/charge/circuit.ts'
import type { PreparedTarget } from '../../core/decide/at-once.ts'
import type { Decision } from '../../core/decide/decision.ts'
import {
  createLimiter,
  DEFAULT_LIMITER_SETTINGS,
  type Limiter,
  type LimiterDependencies,
} from '../../core/decide/limiter.ts'
import { type Entity, isId } from '../../core/model/entity.ts'
import { invalid, ZaelError } from '../../core/model/errors.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import { tokenEntity } from '../../core/model/token-entity.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import { type Logger, type Moment, momentOf, noMetrics } from '../../core/ports/platform.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { createRecentMap } from '../../platform/recent-map.ts'
import { lruCaches, newSlotPrefix, sha256, shortPause, systemClock } from '../../platform/runtime.ts'
import { createMemoryBucketStore } from '../../store/memory/bucket-store.ts'
import { checkedCost, checkedKey, checkedLifetime, invalidArgument, withoutUndefined } from '../arguments.ts'
import { ONE_REQUEST } from '../requests/costs.ts'
import type { JwtIdentity } from '../requests/jwt-identity.ts'
import { type LimiterStore, liveBucketsOf, memoryStore } from '../stores/memory-store.ts'
import {
  checkCheckOptions,
  checkLimiterOptions,
  type LimitsInCode,
  type LimitsInTable,
  type RateLimiterOptions,
} from './limiter-options.ts'
import {
  claimDefaultName,
  createConfigInCode,
  createEntityIds,
  createKeysInDecision,
  DEFAULT_NAME,
} from './limits-in-code.ts'
import { createEnabledChecks, createUnreadConfigFallback } from './limits-in-table.ts'
import {
  type CheckOptions,
  describedDecision,
  describedReservation,
  type RateLimiter,
  type ReserveOptions,
} from './rate-limiter.ts'

/**
 * Creates a rate limiter. Throws `ZaelError('invalid_request')` whose `field` names the unknown or invalid option.
 *
 * @example
 * const limiter = createRateLimiter({ limits: [{ name: 'rpm', capacity: 60, refill_rate: 1 }] })
 * const { allowed, retryAfterMs } = await limiter.check('user-42')
 */
export const createRateLimiter = (options: RateLimiterOptions = {}): RateLimiter =>
  createLimiterOf(options, { runsBetweenRequests: true })

/** Where a limiter runs. */
export interface Runtime {
  /**
   * False: nothing runs after a response, as on Lambda. There is no timer, and `flush` leaves counts of denials for later writes, for 10 s
   * at most.
   */
  readonly runsBetweenRequests: boolean
}

/** As `createRateLimiter`, for a runtime. */
export const createLimiterOf = (
  options: RateLimiterOptions,
  { runsBetweenRequests }: Runtime,
): RateLimiter => {
  checkLimiterOptions(options)
  const clock = options.clock ?? systemClock
  const logger = options.logger ?? createConsoleLogger('info')
  const store = options.store ?? memoryStore()
  const target =
    options.config === 'table'
      ? inTable(options, { store, clock, logger })
      : inCode(options, { store, logger })
  const parts = { store, config: target.config, clock, logger, runsBetweenRequests }
  const limiter = createLimiter(dependenciesOf(options, parts))
  const timer = runsBetweenRequests ? createFlushTimer(() => limiter.flush(), logger) : noTimer
  const decide = createDecide(limiter, target)

  return {
    async check(key, options) {
      timer.start()
      const moment = momentOf(clock)
      const atOnce = decide.atOnce(key, options, false, moment)
      if (atOnce !== undefined) return describedDecision(atOnce, moment.now)
      return describedDecision(await decide.byLimiter(key, options, false), clock.now())
    },
    async reserve(key, options) {
      timer.start()
      const moment = momentOf(clock)
      const atOnce = decide.atOnce(key, options, true, moment)
      if (atOnce !== undefined) return describedReservation(atOnce, moment.now, clock)
      const until = slotsUntil(options, moment.now)
      return describedReservation(await decide.byLimiter(key, options, true, until), clock.now(), clock)
    },
    async flush() {
      await timer.flushed()
      await limiter.flush({ all: runsBetweenRequests })
    },
    async close() {
      timer.stop()
      target.close()
      await timer.flushed()
      await limiter.flush({ all: true })
    },
  }
}

/** When the slots of a reservation expire. Throws `TypeError` for an invalid time. */
const slotsUntil = ({ expiresInSeconds }: ReserveOptions = {}, now: bigint): bigint | undefined =>
  expiresInSeconds === undefined ? undefined : now + checkedLifetime(expiresInSeconds, 'expiresInSeconds')

/** Keys whose limits are kept prepared: as many as resolutions are cached. */
const MAX_PREPARED = 20_000

/** The source of the limits, and how a key maps to the id of an entity. */
interface Target {
  readonly config: ConfigStore
  /** Whether decisions may be made at once; not where an entity may be disabled, which is read separately. */
  readonly prepares: boolean
  idOf(key: string): string
  /** Throws `TypeError` for an identity of another key. */
  entityOf(identity: JwtIdentity, key: string, entityId: string): Entity
  /** `entity`: that of a token. */
  during(id: string, key: string, decide: () => Promise<Decision>, entity?: Entity): Promise<Decision>
  close(): void
}

const inCode = (options: LimitsInCode, { store, logger }: Pick<Parts, 'store' | 'logger'>): Target => {
  const keys = createKeysInDecision()
  const config = createConfigInCode(options, keys.keyOf)
  const { name = DEFAULT_NAME } = options
  return {
    config,
    prepares: true,
    idOf: createEntityIds(name),
    // tenants are entities of a table
    entityOf: (identity, key, entityId) => ({ ...identified(identity, key, entityId), parentId: null }),
    during: keys.during,
    close: options.name === undefined ? claimDefaultName(store, logger) : () => {},
  }
}

const inTable = (
  { onUnavailable = DEFAULT_LIMITER_SETTINGS.onUnavailable, metrics = noMetrics }: LimitsInTable,
  { store, clock, logger }: Pick<Parts, 'store' | 'clock' | 'logger'>,
): Target => {
  if (store.config === undefined) {
    throw invalid('store', "be a table, such as dynamoDbStore() of zael/dynamodb, where config is 'table'")
  }
  const { checkEnabled, checkTenant } = createEnabledChecks(
    configBehind(createCircuit(clock), store.config),
    clock,
  )
  const orUnread = createUnreadConfigFallback({
    ...{ onUnavailable, metrics, clock, logger },
    newCache: lruCaches,
  })
  return {
    config: store.config,
    prepares: false,
    close: () => {},
    idOf: entityIdOf,
    entityOf: identified,
    during: (id, _key, decide, entity) =>
      orUnread(async () => {
        await (entity === undefined ? checkEnabled(id) : checkTenant(entity))
        return decide()
      }),
  }
}

const entityIdOf = (key: string): string => {
  if (!isId(key)) throw new ZaelError('not_found', 'there is no entity of this key', { field: 'key' })
  return key
}

/** Decides on a key. Both throw `TypeError` for an invalid key, cost or option. */
interface Decide {
  /** Decides by what is prepared for the key; undefined if nothing is, or `byLimiter` must decide. */
  atOnce(
    key: string | number,
    options: CheckOptions | undefined,
    settles: boolean,
    moment: Moment,
  ): Decision | undefined
  /** `slotsUntil`: when the slots that it holds expire, ns since the epoch; undefined: after the time that each limit states. */
  byLimiter(
    key: string | number,
    options: CheckOptions | undefined,
    settles: boolean,
    slotsUntil?: bigint,
  ): Promise<Decision>
}

/** The entity of a token. Throws `TypeError` for an identity of another key. */
const identified = (identity: JwtIdentity, key: string, entityId: string): Entity => {
  if (identity.key !== key) throw invalidArgument('identity', 'be that of the key')
  const { role, tenant: tenantId, issuedAt } = identity
  return tokenEntity({ entityId, role, tenantId, issuedAt: BigInt(issuedAt) * SECOND_NS })
}

const createDecide = (limiter: Limiter, { idOf, entityOf, during, prepares }: Target): Decide => {
  const prepared = createRecentMap<PreparedTarget>(MAX_PREPARED)
  return {
    atOnce(given, options, settles, moment) {
      if (options === undefined) return prepared.get(given)?.decide(ONE_REQUEST, settles, moment)
      checkCheckOptions(options, settles)
      const { cost, resource, user, session, identity, context } = options
      if (resource !== undefined || user !== undefined || session !== undefined || context !== undefined)
        return undefined
      if (identity !== undefined) return undefined
      const target = prepared.get(given)
      return target?.decide(cost === undefined ? ONE_REQUEST : checkedCost(cost), settles, moment)
    },
    async byLimiter(given, options = {}, settles, slotsUntil) {
      checkCheckOptions(options, settles)
      const key = checkedKey(given)
      const entityId = idOf(key)
      const cost = options.cost === undefined ? ONE_REQUEST : checkedCost(options.cost)
      const holds = settles || options.hold === true
      const entity = options.identity && entityOf(options.identity, key, entityId)
      const request = {
        ...{ ...options, cost, entityId, settles, holds },
        ...(slotsUntil && { slotsUntil }),
        ...(entity && { entity }),
      }
      const decision = await during(entityId, key, () => limiter.decide(request), entity)
      if (prepares && entity === undefined && prepared.get(given) === undefined)
        prepared.set(given, limiter.prepare({ entityId }))
      return decision
    },
  }
}

interface Parts extends Pick<LimiterDependencies, 'config' | 'clock' | 'logger'>, Runtime {
  readonly store: LimiterStore
}

const dependenciesOf = (
  { metrics, onUnavailable, leaseTtlMs }: RateLimiterOptions,
  { store, runsBetweenRequests, ...parts }: Parts,
): LimiterDependencies => ({
  ...parts,
  buckets: store.buckets,
  live: liveBucketsOf(store),
  localBuckets: createMemoryBucketStore(),
  metrics: metrics ?? noMetrics,
  newCache: lruCaches,
  pause: shortPause,
  slotPrefix: newSlotPrefix(),
  hash: sha256,
  // a store in memory has no write to save
  settings: {
    ...withoutUndefined({ onUnavailable, leaseTtlMs: store.table === undefined ? 0 : leaseTtlMs }),
    ...(!runsBetweenRequests && { useDelayMs: 0 }),
  },
})

const FLUSH_EVERY_MS = 1000

/** Flushes once a second after the first use. Does not keep the process alive. */
export interface FlushTimer {
  start(): void
  stop(): void
  /** Resolves when the flushes that the timer has begun have ended. Never rejects. */
  flushed(): Promise<void>
}

const noTimer: FlushTimer = { start() {}, stop() {}, async flushed() {} }

export const createFlushTimer = (flush: () => Promise<void>, logger: Logger): FlushTimer => {
  let timer: ReturnType<typeof setInterval> | undefined
  let isStopped = false
  const running = new Set<Promise<void>>()
  const flushOnce = (): void => {
    const flushing = flush()
      .catch((error: unknown) => logger.warn('flush failed', { reason: String(error) }))
      .finally(() => running.delete(flushing))
    running.add(flushing)
  }
  return {
    start() {
      if (timer !== undefined || isStopped) return
      timer = setInterval(flushOnce, FLUSH_EVERY_MS)
      // a number in browsers, jsdom, Deno and Workers
      if (typeof timer === 'object') timer.unref?.()
    },
    stop() {
      isStopped = true
      clearInterval(timer)
    },
    async flushed() {
      await Promise.all(running)
    },
  }
}
