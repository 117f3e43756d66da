import type { Cost } from '../../core/limit/meter.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Logger } from '../../core/ports/logger.ts'
import type { LimitsInCode } from '../limiter/create-rate-limiter.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'
import type { Bypass } from '../requests/bypass.ts'
import type { CostFunction } from '../requests/cost-functions.ts'
import type { Exemptions } from '../requests/exemptions.ts'
import type { KeyFunction } from '../requests/key-functions.ts'
import type { RequestFacts } from '../requests/request-facts.ts'
import type { SettleFunction } from '../requests/settle-functions.ts'
import type { HeaderForm } from './answer-headers.ts'
import type { Denial, LimitWarning } from './reports.ts'

/** A limiter, or what to make one of: limits, and a store that is in memory unless told. */
export type LimiterOrLimits =
  | { readonly limiter: RateLimiter }
  | ({ readonly limiter?: never } & Omit<LimitsInCode, 'store' | 'config' | 'logger' | 'metrics' | 'clock'> &
      Partial<Pick<LimitsInCode, 'store'>>)

/** How requests are limited; `Native` is the framework's own request. */
export type RateLimitOptions<Native> = LimiterOrLimits & MiddlewareOptions<Native>

export interface MiddlewareOptions<Native> {
  /** Who asks. Default `byClientIp()`. All requests that tell nothing of it share one key, `anonymous`. */
  readonly key?: KeyFunction<Native>
  /** Default: one request. */
  readonly cost?: Cost | CostFunction<Native>
  /** What is used, such as a model; none unless told. */
  readonly resource?: string | ((request: RequestFacts<Native>) => string | undefined)
  /** Who uses the key, for policies on a user and a model. */
  readonly user?: (request: RequestFacts<Native>) => string | undefined
  /** What is not limited at all. */
  readonly exempt?: Exemptions<Native>
  /** Who is neither limited nor counted. */
  readonly bypass?: Bypass<Native>
  /**
   * Makes `cost` an estimate and says what an answer really used. One that tells nothing stays as estimated; where it
   * failed (400 and above), it costs the request alone.
   */
  readonly settle?: SettleFunction
  /** True: decides and reports, and no limit ever blocks. */
  readonly shadow?: boolean
  /** Told once a minute of each limit of a key that is nearly used up (its `warn_at`, 80 % unless told). */
  onWarning?(warning: LimitWarning): void
  /** Told of each refusal. */
  onDenied?(denial: Denial): void
  /** Default X-RateLimit's and IETF's; what a 429 says of waiting is always there. */
  readonly headers?: readonly HeaderForm[]
  /** Default: one line each on stderr, debugging left out. */
  readonly logger?: Logger
  readonly metrics?: { count(name: string, by?: number): void }
  /** Default: the machine's. */
  readonly clock?: Clock
}
