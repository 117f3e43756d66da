import type { Denied, Violation } from '../../core/decide/decision.ts'
import { IN_FLIGHT, type LimitMeter, type Meter, shownMeter } from '../../core/model/meter.ts'
import { roundedUp, SECOND_NS } from '../../core/model/time.ts'

/** Whom a limit counts: the caller, one session of them, one user, or several callers together. */
export type LimitScope = 'caller' | 'session' | 'user' | 'shared'

/** A limit that denied a call. */
export interface RefusedLimit {
  readonly limit: string
  readonly scope: LimitScope
  readonly meter: Meter
  readonly used: number
  readonly capacity: number
  readonly requested: number
  /** Seconds, rounded up; null: this limit never allows the call. */
  readonly retryAfter: number | null
}

/** Why a call was not run, as data. */
export interface ToolRefusal {
  readonly error: 'rate_limit_exceeded' | 'unavailable'
  readonly tool: string
  /** The same for a model. */
  readonly message: string
  /** Seconds until the same call can pass, rounded up; null: it never can. */
  readonly retryAfter: number | null
  /** That time, ISO 8601 in UTC. */
  readonly retryAt: string | null
  readonly limits: readonly RefusedLimit[]
}

/** Where the data is in a result: `_meta` of MCP, whose names have a prefix. */
export const REFUSAL_META = 'zael/rate-limit'

/** The JSON-RPC code of a refusal. MCP leaves -32000 to -32099 to servers, and uses -32002 and -32042 itself. */
export const REFUSED_CODE = -32029

/** A refused call as an error, for servers that answer with errors of JSON-RPC: `code` and `data` reach the client. */
export class ToolRefused extends Error {
  override readonly name = 'ToolRefused'
  readonly code = REFUSED_CODE
  readonly data: ToolRefusal

  constructor(refusal: ToolRefusal) {
    super(refusal.message)
    this.data = refusal
  }
}

/** The result of a refused call. A type, not an interface: results of the SDK have an index signature. */
export type RefusedResult = {
  isError: true
  content: { type: 'text'; text: string }[]
  structuredContent?: Record<string, unknown>
  _meta: Record<string, unknown>
}

/**
 * A refusal as the result of a tool, which hosts show to the model, whereas they keep errors of JSON-RPC to themselves. Without
 * `structuredContent` where the tool declares its output: clients compare it with that declaration in errors as well, and then report
 * the mismatch instead of the refusal.
 */
export const refusedResult = (refusal: ToolRefusal, declaresOutput: boolean): RefusedResult => ({
  isError: true,
  content: [{ type: 'text', text: refusal.message }],
  ...(!declaresOutput && { structuredContent: { ...refusal } }),
  _meta: { [REFUSAL_META]: refusal },
})

interface Refused {
  readonly tool: string
  readonly denied: Denied
  /** Whom the limiter's own limits count. */
  readonly scope: LimitScope
  /** ns since the epoch */
  readonly now: bigint
}

export const refusalOf = ({ tool, denied, scope, now }: Refused): ToolRefusal => {
  const wait = denied.unavailable ? SECOND_NS : denied.retryAfterNs
  const limits = denied.unavailable
    ? []
    : denied.violations.map((violation) => refusedLimit(violation, scope))
  const retryAfter = secondsOf(wait)
  const retryAt = wait === null ? null : new Date(Number((now + wait) / 1_000_000n)).toISOString()
  const reasons = denied.unavailable
    ? [`The limits of the tool "${tool}" cannot be checked at the moment.`]
    : denied.violations.map((violation) => reasonOf(violation, tool, scope))
  return {
    error: denied.unavailable ? 'unavailable' : 'rate_limit_exceeded',
    tool,
    message: [...reasons, adviceOf(retryAfter, retryAt)].join(' '),
    retryAfter,
    retryAt,
    limits,
  }
}

const secondsOf = (ns: bigint | null): number | null =>
  ns === null ? null : Math.max(1, Number(roundedUp(ns, SECOND_NS)))

const refusedLimit = (
  { state, meter, requested, retryAfterNs }: Violation,
  scope: LimitScope,
): RefusedLimit => ({
  limit: state.limit.name,
  scope: scopeOf(state, scope),
  meter: shownMeter(meter),
  used: state.used,
  capacity: state.capacity,
  requested,
  retryAfter: secondsOf(retryAfterNs),
})

const scopeOf = ({ own, entityId }: Violation['state'], scope: LimitScope): LimitScope => {
  if (own) return scope
  if (entityId.startsWith('POLICY:SESSION:')) return 'session'
  return entityId.startsWith('POLICY:USER:') ? 'user' : 'shared'
}

const WHOSE: Readonly<Record<LimitScope, string>> = {
  caller: 'by this client',
  session: 'in this session',
  user: 'by this user',
  shared: 'by all who share it',
}

const UNITS: Readonly<Record<LimitMeter, string>> = {
  requests: 'calls',
  tokens: 'tokens',
  input_tokens: 'input tokens',
  output_tokens: 'output tokens',
  cost_usd_micros: 'US dollars',
  [IN_FLIGHT]: 'calls at a time',
}

/** Ids of entities do not appear: the model, and its user, need not be told them. */
const reasonOf = (violation: Violation, tool: string, scope: LimitScope): string => {
  const { state, meter, requested, retryAfterNs } = violation
  const shown = (amount: number): string =>
    meter === 'cost_usd_micros' ? String(amount / 1e6) : String(amount)
  const limit = `limit "${state.limit.name}" of the tool "${tool}"`
  const used = `${shown(state.used)} of ${shown(state.capacity)} ${UNITS[meter]} used ${WHOSE[scopeOf(state, scope)]}`
  if (state.capacity === 0) return `The ${limit} is 0: it is paused.`
  if (retryAfterNs === null)
    return `The ${limit} can never allow this call: it needs ${shown(requested)} of ${shown(state.capacity)} ${UNITS[meter]}.`
  const needed = requested === 1 ? '' : `, and this call needs ${shown(requested)}`
  return `The ${limit} is reached: ${used}${needed}.`
}

const adviceOf = (retryAfter: number | null, retryAt: string | null): string =>
  retryAfter === null || retryAt === null
    ? 'Do not repeat this call.'
    : `The same call can pass in ${durationOf(retryAfter)}, at ${retryAt}; repeating it earlier is in vain.`

/** `45 seconds`, `12 minutes`, `3 hours 20 minutes`, `2 days`: rounded up. */
const durationOf = (seconds: number): string => {
  if (seconds < 120) return `${seconds} seconds`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 120) return `${minutes} minutes`
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.ceil(minutes / 1440)} days`
  return minutes % 60 === 0 ? `${hours} hours` : `${hours} hours ${minutes % 60} minutes`
}
