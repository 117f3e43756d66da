import { invalid } from '../../core/model/errors.ts'
import { ON_UNAVAILABLE, type OnUnavailable } from '../../core/model/limit.ts'
import type { PolicyContext } from '../../core/model/policy.ts'
import type { Clock, Logger, Metrics } from '../../core/ports/platform.ts'
import {
  checkCallOptions,
  checkChoice,
  checkedLifetime,
  checkFunctions,
  checkOptions,
  checkPorts,
  invalidArgument,
  type OptionNames,
} from '../arguments.ts'
import { checkStore, type LimiterStore } from '../stores/memory-store.ts'
import type { CodeLimits } from './limits-in-code.ts'
import type { CheckOptions, ReserveOptions } from './rate-limiter.ts'

interface CommonOptions {
  /** Default: `memoryStore()`. */
  readonly store?: LimiterStore
  /**
   * Applies while the store is unavailable: to limits without `on_unavailable`, and to keys whose configuration cannot be
   * read (with `config: 'table'`; `local` denies there). Default `deny`.
   */
  readonly onUnavailable?: OnUnavailable
  /**
   * How long this process may keep tokens of a table that it charged ahead, in ms, at most 600,000: requests for a busy key
   * then need no write, and in any span T a limit admits at most what it would admit in T + this time. Default 0: every
   * decision is exact. A store in memory charges nothing ahead.
   */
  readonly leaseTtlMs?: number
  /** Default: one line per event on stderr, without debug events. */
  readonly logger?: Logger
  readonly metrics?: Metrics
  /** Default: the clock of the machine. */
  readonly clock?: Clock
}

/** Limits in the code of the app, for any keys. */
export interface LimitsInCode extends CommonOptions, CodeLimits {
  readonly config?: 'code'
  /**
   * Names the buckets: 1 to 48 of A-Z a-z 0-9 . _ : @ -. Default `app`. Limiters of one name on one store share their buckets.
   * Sharing must be explicit: in one process, a second limiter without a name on the same store is an error.
   */
  readonly name?: string
}

/** Entities, limits and policies of a deployed zael, in the table of the store. Keys are ids of entities. */
export interface LimitsInTable extends CommonOptions {
  readonly config: 'table'
  readonly store: LimiterStore
}

export type RateLimiterOptions = LimitsInCode | LimitsInTable

export const RATE_LIMITER_OPTIONS: OptionNames<RateLimiterOptions> = {
  limits: true,
  resources: true,
  roles: true,
  limitsFor: true,
  priorityOf: true,
  revision: true,
  config: true,
  name: true,
  store: true,
  onUnavailable: true,
  leaseTtlMs: true,
  logger: true,
  metrics: true,
  clock: true,
}

const MAX_LEASE_TTL_MS = 600_000

const checkLeaseTtl = (ms: number | undefined): void => {
  if (ms === undefined || (Number.isInteger(ms) && ms >= 0 && ms <= MAX_LEASE_TTL_MS)) return
  throw invalid('leaseTtlMs', `be a whole number of ms from 0 to ${MAX_LEASE_TTL_MS}`)
}

const CHECK_OPTIONS: OptionNames<CheckOptions> = {
  cost: true,
  resource: true,
  user: true,
  session: true,
  identity: true,
  context: true,
  hold: true,
}

const RESERVE_OPTIONS: OptionNames<ReserveOptions> = { ...CHECK_OPTIONS, expiresInSeconds: true }

const CONTEXT_OPTIONS: OptionNames<PolicyContext> = { tenant: true, model: true, tier: true }

export const checkLimiterOptions = (options: RateLimiterOptions): void => {
  checkOptions<RateLimiterOptions>(options, RATE_LIMITER_OPTIONS)
  checkChoice(options.config, ['code', 'table'], 'config')
  checkChoice(options.onUnavailable, ON_UNAVAILABLE, 'onUnavailable')
  checkLeaseTtl(options.leaseTtlMs)
  checkFunctions(options, ['limitsFor', 'priorityOf'])
  checkPorts(options)
  checkStore(options.store)
}

const checkNames = (options: ReserveOptions, settles: boolean): void =>
  settles
    ? checkCallOptions<ReserveOptions>(options, RESERVE_OPTIONS)
    : checkCallOptions<CheckOptions>(options, CHECK_OPTIONS)

/** The options of `reserve`, if `settles`, else of `check`. */
export const checkCheckOptions = (options: ReserveOptions, settles: boolean): void => {
  checkNames(options, settles)
  const { resource, user, session, identity, context, hold, expiresInSeconds } = options
  if (identity !== undefined && typeof identity?.key !== 'string')
    throw invalidArgument('identity', 'be what byJwt() returns for a token')
  if (hold !== undefined && typeof hold !== 'boolean') throw invalidArgument('hold', 'be true or false')
  checkTexts({ resource, user, session })
  if (context !== undefined) checkContext(context)
  // also where no limit holds slots
  if (expiresInSeconds !== undefined) checkedLifetime(expiresInSeconds, 'expiresInSeconds')
}

const checkTexts = (texts: Readonly<Record<string, unknown>>): void => {
  for (const name in texts)
    if (texts[name] !== undefined && typeof texts[name] !== 'string') throw invalidArgument(name, 'be a text')
}

const checkContext = (context: PolicyContext): void => {
  checkCallOptions<PolicyContext>(context, CONTEXT_OPTIONS, 'context')
  for (const [name, value] of Object.entries(context)) {
    if (value !== undefined && typeof value !== 'string')
      throw invalidArgument(`context.${name}`, 'be a text')
  }
}
