import { invalid } from '../../core/model/errors.ts'
import type { Cost } from '../../core/model/meter.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'
import {
  checkChoice,
  checkedCost,
  checkFunctions,
  checkOptions,
  checkPorts,
  type OptionNames,
  withoutUndefined,
} from '../arguments.ts'
import type { LimitsInCode } from '../limiter/limiter-options.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'
import type { CostFunction, RequestFacts, SettleFunction } from '../requests/costs.ts'
import type { Bypass, Exemptions } from '../requests/exemptions.ts'
import type { KeyFunction } from '../requests/keys.ts'
import type { Denial, LimitWarning } from './reports.ts'
import { HEADER_FORMS, type HeaderForm, RESET_FORMATS, type ResetFormat } from './response-headers.ts'

/** A limiter, or the options to create one: limits, and a store (default: memory). */
export type LimiterOrLimits =
  | { readonly limiter: RateLimiter }
  | ({ readonly limiter?: never } & LimitsOfMiddleware)

/** The options of a limiter, except those that the middleware passes to it. */
type LimitsOfMiddleware = Omit<LimitsInCode, 'config' | 'logger' | 'metrics' | 'clock'>

/** How requests are limited. `Native` is the request type of the framework. */
export type RateLimitOptions<Native> = LimiterOrLimits & MiddlewareOptions<Native>

export interface MiddlewareOptions<Native> {
  /** The caller. Default `byClientIp()`. Requests for which it returns undefined or '' share the key `anonymous`. */
  readonly key?: KeyFunction<Native>
  /** Default: one request. */
  readonly cost?: Cost | CostFunction<Native>
  /** What the request uses, such as a model. Default: none. */
  readonly resource?: string | ((request: RequestFacts<Native>) => string | undefined)
  /** The user of the key, for policies on users. */
  readonly user?: (request: RequestFacts<Native>) => string | undefined
  /** The session, such as the run of an agent, for policies on sessions. */
  readonly session?: (request: RequestFacts<Native>) => string | undefined
  /** Requests that are not limited. */
  readonly exempt?: Exemptions<Native>
  /** Callers that are neither limited nor counted. */
  readonly bypass?: Bypass<Native>
  /**
   * Makes `cost` an estimate, and returns the actual cost of a response. If it returns undefined, the estimate stays charged;
   * for a failed response (400 and above), only the request.
   */
  readonly settle?: SettleFunction
  /** True: decides and reports, and denies nothing. */
  readonly shadow?: boolean
  /** Called at most once a minute for each limit of a key that is used to its `warn_at` (default 80 %). */
  onWarning?(warning: LimitWarning): void
  /** Called for each denied request. */
  onDenied?(denial: Denial): void
  /** Default `ietf`. A 429 always contains the time to wait. */
  readonly headers?: readonly HeaderForm[]
  /** What `X-RateLimit-Reset` contains: seconds until the limit is full again (the default), or that time as an ISO date. */
  readonly resetFormat?: ResetFormat
  /** Default: one line each on stderr, debugging left out. */
  readonly logger?: Logger
  readonly metrics?: { count(name: string, by?: number): void }
  /** Default: the machine's. */
  readonly clock?: Clock
}

/** Options for the limiter that the middleware creates. */
const LIMITER_OPTIONS: OptionNames<LimitsOfMiddleware> = {
  limits: true,
  resources: true,
  roles: true,
  limitsFor: true,
  priorityOf: true,
  revision: true,
  name: true,
  store: true,
  onUnavailable: true,
  leaseTtlMs: true,
}

export const RATE_LIMIT_OPTIONS: OptionNames<RateLimitOptions<unknown>> = {
  limiter: true,
  ...LIMITER_OPTIONS,
  key: true,
  cost: true,
  resource: true,
  user: true,
  session: true,
  settle: true,
  exempt: true,
  bypass: true,
  shadow: true,
  onWarning: true,
  onDenied: true,
  headers: true,
  resetFormat: true,
  logger: true,
  metrics: true,
  clock: true,
}

const FUNCTIONS = ['key', 'user', 'session', 'settle', 'onWarning', 'onDenied']

/** Throws `ZaelError('invalid_request')` for an option that is unknown or invalid. */
export const checkRateLimitOptions = <Native>(options: RateLimitOptions<Native>): void => {
  checkOptions<RateLimitOptions<unknown>>(options, RATE_LIMIT_OPTIONS)
  checkFunctions(options, FUNCTIONS)
  checkPorts(options)
  if (options.cost !== undefined && typeof options.cost !== 'function') checkedCost(options.cost)
  if (!['undefined', 'string', 'function'].includes(typeof options.resource)) {
    throw invalid('resource', 'be a text or a function')
  }
  if (!['undefined', 'boolean'].includes(typeof options.shadow)) throw invalid('shadow', 'be true or false')
  checkHeaderOptions(options)
  checkLimiter(options)
}

/** Throws `ZaelError('invalid_request')` for a form of headers that does not exist. */
export const checkHeaderOptions = ({
  headers = [],
  resetFormat,
}: Pick<MiddlewareOptions<never>, 'headers' | 'resetFormat'>): void => {
  if (!Array.isArray(headers)) throw invalid('headers', `be a list of ${HEADER_FORMS.join(', ')}`)
  for (const [index, form] of headers.entries()) {
    if (form === undefined) throw invalid(`headers[${index}]`, `be one of ${HEADER_FORMS.join(', ')}`)
    checkChoice(form, HEADER_FORMS, `headers[${index}]`)
  }
  checkChoice(resetFormat, RESET_FORMATS, 'resetFormat')
}

const checkLimiter = ({ limiter, ...rest }: LimiterOrLimits): void => {
  if (limiter === undefined) return
  if (typeof limiter?.check !== 'function' || typeof limiter.reserve !== 'function') {
    throw invalid('limiter', 'be what createRateLimiter() returns')
  }
  const other = Object.keys(withoutUndefined(rest)).find((name) => Object.hasOwn(LIMITER_OPTIONS, name))
  if (other !== undefined) throw invalid(other, 'not be given beside limiter, which has its own')
}
