import { configBehind, createCircuit } from '../../core/charge/circuit.ts'
import type { Decision } from '../../core/decide/decision.ts'
import {
  createLimiter,
  DEFAULT_LIMITER_SETTINGS,
  type Limiter,
  type LimiterDependencies,
} from '../../core/decide/limiter.ts'
import { isId } from '../../core/model/entity.ts'
import { invalid, ZaelError } from '../../core/model/errors.ts'
import { ON_UNAVAILABLE, type OnUnavailable } from '../../core/model/limit.ts'
import type { PolicyContext } from '../../core/model/policy.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import { type Clock, type Logger, type Metrics, noMetrics } from '../../core/ports/platform.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { lruCaches, shortPause, systemClock } from '../../platform/runtime.ts'
import { createMemoryBucketStore } from '../../store/memory/memory-bucket-store.ts'
import { checkedActualCost, checkedCost } from '../arguments/checked-cost.ts'
import { checkedKey } from '../arguments/checked-key.ts'
import { invalidArgument } from '../arguments/invalid-argument.ts'
import {
  checkCallOptions,
  checkChoice,
  checkFunctions,
  checkOptions,
  checkPorts,
  type OptionNames,
} from '../arguments/known-options.ts'
import { ONE_REQUEST } from '../requests/cost-functions.ts'
import { checkStore, type LimiterStore } from '../stores/limiter-store.ts'
import { memoryStore } from '../stores/memory-store.ts'
import { claimDefaultName, DEFAULT_NAME } from './default-name.ts'
import { describedDecision } from './described-decision.ts'
import { createEnabledCheck } from './enabled-entities.ts'
import { createEntityIds } from './entity-ids.ts'
import { createFlushTimer } from './flush-timer.ts'
import { createKeysUnderWay } from './keys-under-way.ts'
import { type CodeLimits, createConfigInCode } from './limits-in-code.ts'
import type { CheckOptions, RateLimiter, RateLimitReservation } from './rate-limiter.ts'
import { createUnreadConfigFallback } from './unread-config.ts'

interface CommonOptions {
  /** Default: `memoryStore()`. */
  readonly store?: LimiterStore
  /**
   * While the store is unavailable: for limits without `on_unavailable`, and for every key whose configuration cannot be
   * read (`config: 'table'`; `local` denies there). Default `deny`.
   */
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
  /**
   * Names the buckets: 1 to 48 of A-Z a-z 0-9 . _ : @ -. Default `app`. Limiters of one name on one store share their buckets,
   * which must be stated: in one process, a second limiter on the store without a name is an error.
   */
  readonly name?: string
}

/** Entities, limits and policies as a deployed zael keeps them in the store's table; keys are ids of entities. */
export interface LimitsInTable extends CommonOptions {
  readonly config: 'table'
  readonly store: LimiterStore
}

export type RateLimiterOptions = LimitsInCode | LimitsInTable

export const RATE_LIMITER_OPTIONS: OptionNames<RateLimiterOptions> = {
  limits: true,
  resources: true,
  limitsFor: true,
  priorityOf: true,
  revision: true,
  config: true,
  name: true,
  store: true,
  onUnavailable: true,
  logger: true,
  metrics: true,
  clock: true,
}

const CHECK_OPTIONS: OptionNames<CheckOptions> = { cost: true, resource: true, user: true, context: true }
const CONTEXT_OPTIONS: OptionNames<PolicyContext> = { tenant: true, model: true, tier: true }

/**
 * Makes a rate limiter. Throws `ZaelError('invalid_request')` whose `field` names the option that is unknown or invalid.
 *
 * @example
 * const limiter = createRateLimiter({ limits: [{ name: 'rpm', capacity: 60, refill_rate: 1 }] })
 * const { allowed, retryAfterMs } = await limiter.check('user-42')
 */
export const createRateLimiter = (options: RateLimiterOptions = {}): RateLimiter => {
  checkLimiterOptions(options)
  const clock = options.clock ?? systemClock
  const logger = options.logger ?? createConsoleLogger('info')
  const store = options.store ?? memoryStore()
  const target =
    options.config === 'table'
      ? inTable(options, { store, clock, logger })
      : inCode(options, { store, logger })
  const limiter = createLimiter(dependenciesOf(options, { store, config: target.config, clock, logger }))
  const timer = createFlushTimer(() => limiter.flush(), logger)
  const decide = createDecide(limiter, target)

  return {
    async check(key, options = {}) {
      timer.start()
      return describedDecision(await decide(key, options, false), clock.now(), {})
    },
    async reserve(key, options = {}) {
      timer.start()
      const decision = await decide(key, options, true)
      return describedDecision(decision, clock.now(), endingsOf(decision))
    },
    flush: () => limiter.flush({ all: true }),
    close() {
      timer.stop()
      target.close()
      return limiter.flush({ all: true })
    },
  }
}

const checkLimiterOptions = (options: RateLimiterOptions): void => {
  checkOptions<RateLimiterOptions>(options, RATE_LIMITER_OPTIONS)
  checkChoice(options.config, ['code', 'table'], 'config')
  checkChoice(options.onUnavailable, ON_UNAVAILABLE, 'onUnavailable')
  checkFunctions(options, ['limitsFor', 'priorityOf'])
  checkPorts(options)
  checkStore(options.store)
}

/** Where the limits come from, and how a key becomes an entity's id there. */
interface Target {
  readonly config: ConfigStore
  idOf(key: string): string
  during(id: string, key: string, decide: () => Promise<Decision>): Promise<Decision>
  close(): void
}

const inCode = (options: LimitsInCode, { store, logger }: Pick<Parts, 'store' | 'logger'>): Target => {
  const keys = createKeysUnderWay()
  const config = createConfigInCode(options, keys.keyOf)
  const { name = DEFAULT_NAME } = options
  return {
    config,
    idOf: createEntityIds(name),
    during: keys.during,
    close: options.name === undefined ? claimDefaultName(store, logger) : () => {},
  }
}

const inTable = (
  { onUnavailable = DEFAULT_LIMITER_SETTINGS.onUnavailable, metrics = noMetrics }: LimitsInTable,
  { store, clock, logger }: Omit<Parts, 'config'>,
): Target => {
  if (store.config === undefined) {
    throw invalid('store', "be a table, such as dynamoDbStore() of zael/dynamodb, where config is 'table'")
  }
  const checkEnabled = createEnabledCheck(configBehind(createCircuit(clock), store.config), clock)
  const orUnread = createUnreadConfigFallback({
    ...{ onUnavailable, metrics, clock, logger },
    newCache: lruCaches,
  })
  return {
    config: store.config,
    close: () => {},
    idOf: entityIdOf,
    during: (id, _key, decide) =>
      orUnread(async () => {
        await checkEnabled(id)
        return decide()
      }),
  }
}

const entityIdOf = (key: string): string => {
  if (!isId(key)) throw new ZaelError('not_found', 'there is no entity of this key', { field: 'key' })
  return key
}

const createDecide =
  (limiter: Limiter, { idOf, during }: Target) =>
  async (given: string | number, options: CheckOptions, settles: boolean): Promise<Decision> => {
    checkCheckOptions(options)
    const key = checkedKey(given)
    const entityId = idOf(key)
    const cost = options.cost === undefined ? ONE_REQUEST : checkedCost(options.cost)
    const request = { ...options, cost, entityId, settles }
    return during(entityId, key, () => limiter.decide(request))
  }

const checkCheckOptions = (options: CheckOptions): void => {
  checkCallOptions<CheckOptions>(options, CHECK_OPTIONS)
  const { resource, user, context } = options
  if (resource !== undefined && typeof resource !== 'string') throw invalidArgument('resource', 'be a text')
  if (user !== undefined && typeof user !== 'string') throw invalidArgument('user', 'be a text')
  if (context !== undefined) checkContext(context)
}

const checkContext = (context: PolicyContext): void => {
  checkCallOptions<PolicyContext>(context, CONTEXT_OPTIONS, 'context')
  for (const [name, value] of Object.entries(context)) {
    if (value !== undefined && typeof value !== 'string')
      throw invalidArgument(`context.${name}`, 'be a text')
  }
}

const endingsOf = (decision: Decision): Pick<RateLimitReservation, 'settle' | 'release'> => ({
  settle: async (actual) => {
    const cost = checkedActualCost(actual)
    if (decision.allowed) await decision.reservation.settle(cost)
  },
  release: async () => {
    if (decision.allowed) await decision.reservation.release()
  },
})

interface Parts extends Pick<LimiterDependencies, 'config' | 'clock' | 'logger'> {
  readonly store: LimiterStore
}

const dependenciesOf = (
  { metrics, onUnavailable }: RateLimiterOptions,
  { store, ...parts }: Parts,
): LimiterDependencies => ({
  ...parts,
  buckets: store.buckets,
  localBuckets: createMemoryBucketStore(),
  metrics: metrics ?? noMetrics,
  newCache: lruCaches,
  pause: shortPause,
  ...(onUnavailable !== undefined && { settings: { onUnavailable } }),
})
