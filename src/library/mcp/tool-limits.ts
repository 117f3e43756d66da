import type { Reservation } from '../../core/decide/decision.ts'
import { CHARGED_PATTERN, CHARGED_RULE } from '../../core/model/entity.ts'
import { invalid, ZaelError } from '../../core/model/errors.ts'
import type { Cost } from '../../core/model/meter.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { systemClock } from '../../platform/runtime.ts'
import { renewedWhileOpen } from '../../web/slot-renewal.ts'
import {
  checkedActualCost,
  checkedCost,
  checkFunctions,
  checkOptions,
  invalidArgument,
  type OptionNames,
} from '../arguments.ts'
import { createRateLimiter } from '../limiter/create-rate-limiter.ts'
import type { LimitsInCode } from '../limiter/limiter-options.ts'
import type { CodeLimits } from '../limiter/limits-in-code.ts'
import { exactDecision, type RateLimiter, type ReserveOptions } from '../limiter/rate-limiter.ts'
import { ONE_REQUEST } from '../requests/costs.ts'
import { type LimitScope, refusalOf, refusedResult, ToolRefused } from './refusal.ts'
import { byClientId, type ToolCall, type ToolCallExtra, type ToolServer } from './tool-call.ts'

/** The limits of callers: in code, or a limiter, such as one with the entities and policies of a deployed zael. */
export type CallerLimits =
  | { readonly limiter: RateLimiter }
  | ({ readonly limiter?: never } & Omit<LimitsInCode, 'config' | 'roles'> & {
        /** The limits of each session, beside those of the caller: for any tool, and by tool in `resources`. */
        readonly perSession?: Pick<CodeLimits, 'limits' | 'resources'>
      })

export type ToolLimitOptions = CallerLimits & {
  /** The caller. Default `byClientId`. */
  readonly key?: (call: ToolCall) => string | number
  /** The session. Default: `session` of the call. Calls without one share a session per caller. */
  readonly session?: (call: ToolCall) => string | undefined
  /** The user, for policies on users. */
  readonly user?: (call: ToolCall) => string | undefined
  /** Default: one request. */
  readonly cost?: Cost | ((call: ToolCall) => Cost | Promise<Cost>)
  /**
   * Makes `cost` an estimate, and returns the actual cost of a result; undefined: as estimated, or of a result with `isError` the
   * request alone. A handler that throws costs the request alone.
   */
  readonly settle?: (result: unknown, call: ToolCall) => Cost | undefined | Promise<Cost | undefined>
  readonly logger?: Logger
  readonly clock?: Clock
}

/** Decides about calls of tools. One per process: its servers, sessions and requests share the limits. */
export interface ToolLimits {
  /**
   * `registerTool` of a server, for tools that are limited: the name of the tool is the resource. A refused call has a result with
   * `isError`.
   *
   * @example
   * limits.on(server).registerTool('research', { inputSchema: { topic: z.string() } }, async ({ topic }) => …)
   */
  on<S extends ToolServer>(server: S): Pick<S, 'registerTool'>
  /**
   * Runs one call, for servers with request handlers of their own. Rejects with `ToolRefused`, which the SDK sends as an error of
   * JSON-RPC with `data.retryAfter` in seconds. `tool` must be one that exists.
   */
  run<R>(
    call: { readonly tool: string; readonly args?: unknown; readonly extra: ToolCallExtra },
    handle: () => R | Promise<R>,
  ): Promise<R>
  /** Writes what is pending: on Lambda, before the response. */
  flush(): Promise<void>
  close(): Promise<void>
}

const OPTIONS: OptionNames<ToolLimitOptions> = {
  limiter: true,
  limits: true,
  resources: true,
  limitsFor: true,
  priorityOf: true,
  revision: true,
  name: true,
  store: true,
  onUnavailable: true,
  leaseTtlMs: true,
  metrics: true,
  perSession: true,
  key: true,
  session: true,
  user: true,
  cost: true,
  settle: true,
  logger: true,
  clock: true,
}

const DEFAULT_NAME = 'mcp'

/** The session of all calls that name none. */
const NO_SESSION = '-'

/** One limiter that a call must pass. */
interface Gate {
  readonly limiter: RateLimiter
  readonly scope: LimitScope
  keyOf(key: string | number, session: string): string | number
}

/** Throws `ZaelError('invalid_request')` whose `field` names the unknown or invalid option. */
export const createToolLimits = (options: ToolLimitOptions): ToolLimits => {
  checkOptions<ToolLimitOptions>(options, OPTIONS)
  checkFunctions(options, ['key', 'session', 'user', 'settle'])
  if (options.cost !== undefined && typeof options.cost !== 'function') checkedCost(options.cost)
  const gates = gatesOf(options)
  const { clock = systemClock, logger = createConsoleLogger('info') } = options
  const begin = createBegin(options, gates, clock)
  const run: Run = async (call, handle) => {
    const open = await begin(call)
    let used: Cost | undefined
    try {
      const result = await handle()
      used = await usedBy(options.settle, result, call, logger)
      if (used === undefined && !isFailed(result)) used = {}
      return result
    } finally {
      await open.end(used)
    }
  }
  const each = (act: (limiter: RateLimiter) => Promise<void>) => async () => {
    await Promise.all(gates.map(({ limiter }) => act(limiter)))
  }
  return {
    run: async ({ tool, args, extra }, handle) => {
      if (typeof extra !== 'object' || extra === null)
        throw invalidArgument('extra', 'be what the SDK passes to the handler of a request')
      return run(toolCall(tool, args, extra, undefined), handle)
    },
    on: <S extends ToolServer>(server: S) => limitedServer(server, run),
    flush: each((limiter) => limiter.flush()),
    close: each((limiter) => limiter.close()),
  }
}

type Run = <R>(call: ToolCall, handle: () => R | Promise<R>) => Promise<R>

const gatesOf = (options: ToolLimitOptions): readonly Gate[] => {
  const byKey: Pick<Gate, 'scope' | 'keyOf'> = { scope: 'caller', keyOf: (key) => key }
  if (options.limiter !== undefined) {
    const other = LIMITER_OPTIONS.find((name) => name in options)
    if (other !== undefined) throw invalid(other, 'not be given beside limiter, which has its own')
    return [{ limiter: options.limiter, ...byKey }]
  }
  const {
    key: _key,
    session: _session,
    user: _user,
    cost: _cost,
    settle: _settle,
    perSession,
    ...limits
  } = options
  const { name = DEFAULT_NAME } = limits
  if (perSession === undefined) return [{ limiter: createRateLimiter({ ...limits, name }), ...byKey }]
  checkOptions<NonNullable<typeof perSession>>(perSession, { limits: true, resources: true }, 'perSession')
  if (perSession.limits === undefined && perSession.resources === undefined)
    throw invalid('perSession', 'contain limits, or resources')
  const {
    limitsFor: _limitsFor,
    resources: _resources,
    limits: _limits,
    priorityOf: _priorityOf,
    ...shared
  } = limits
  const sessions: Gate = {
    limiter: namingPerSession(() => createRateLimiter({ ...shared, ...perSession, name: `${name}-session` })),
    scope: 'session',
    // a session belongs to its caller: another who learns its id does not use it up
    keyOf: (key, session) => JSON.stringify([key, session]),
  }
  const hasOwn =
    limits.limits !== undefined || limits.resources !== undefined || limits.limitsFor !== undefined
  return hasOwn ? [sessions, { limiter: createRateLimiter({ ...limits, name }), ...byKey }] : [sessions]
}

/** An error in `limits` or `resources` of what it creates names them as those of `perSession`. */
const namingPerSession = <T>(create: () => T): T => {
  try {
    return create()
  } catch (error) {
    if (!(error instanceof ZaelError) || !/^(limits|resources)\b/.test(error.field ?? '')) throw error
    throw new ZaelError(error.code, `perSession.${error.message}`, { field: `perSession.${error.field}` })
  }
}

const LIMITER_OPTIONS = [
  'limits',
  'resources',
  'limitsFor',
  'priorityOf',
  'revision',
  'name',
  'store',
  'onUnavailable',
  'leaseTtlMs',
  'metrics',
  'perSession',
]

/** What a call holds while it runs. */
interface OpenCall {
  /** The actual cost, of which absent meters are as reserved; undefined: of a failed call. Never throws. */
  end(used: Cost | undefined): Promise<void>
}

/** What a call is charged, and to whom. */
interface Charge {
  readonly caller: string | number
  readonly session: string
  readonly options: ReserveOptions & { readonly cost: Cost }
}

const createCharge = ({ key = byClientId, session, user, cost = ONE_REQUEST }: ToolLimitOptions) => {
  const costOf = async (call: ToolCall): Promise<Cost> =>
    typeof cost === 'function' ? checkedCost(await cost(call), 'cost()') : cost
  return async (call: ToolCall): Promise<Charge> => {
    const sessionName = session?.(call) ?? call.session
    const userName = user?.(call)
    return {
      caller: key(call),
      session: sessionName ?? NO_SESSION,
      options: {
        cost: await costOf(call),
        resource: call.tool,
        ...(userName !== undefined && { user: userName }),
        ...(sessionName !== undefined && { session: sessionName }),
      },
    }
  }
}

/** Reserves the cost of a call at every gate. Rejects with `ToolRefused`; then nothing is charged. */
const createBegin = (options: ToolLimitOptions, gates: readonly Gate[], clock: Clock) => {
  const chargeOf = createCharge(options)
  const reserve = async (gate: Gate, { caller, session, options }: Charge): Promise<Reservation> => {
    const reserved = await gate.limiter.reserve(gate.keyOf(caller, session), options)
    const { decision } = exactDecision(reserved)
    if (decision.allowed) return renewedWhileOpen(decision.reservation)
    const { scope } = gate
    throw new ToolRefused(
      refusalOf({ tool: options.resource ?? '', denied: decision, scope, now: clock.now() }),
    )
  }
  return async (call: ToolCall): Promise<OpenCall> => {
    const charge = await chargeOf(call)
    const open: Reservation[] = []
    try {
      for (const gate of gates) open.push(await reserve(gate, charge))
    } catch (error) {
      await Promise.all(open.map((reservation) => reservation.release()))
      throw error
    }
    const failed = requestsAlone(charge.options.cost)
    return {
      async end(used = failed) {
        await Promise.all(open.map((reservation) => reservation.settle(used)))
      },
    }
  }
}

/** The actual cost of a result; undefined if it contains none, or the function fails: the result cannot be replaced. */
const usedBy = async (
  settle: ToolLimitOptions['settle'],
  result: unknown,
  call: ToolCall,
  logger: Logger,
): Promise<Cost | undefined> => {
  try {
    const used = await settle?.(result, call)
    return used === undefined || used === null ? undefined : checkedActualCost(used, 'settle()')
  } catch (error) {
    logger.error('settle failed', { reason: String(error), failures: 1 })
    return undefined
  }
}

const isFailed = (result: unknown): boolean =>
  typeof result === 'object' && result !== null && 'isError' in result && result.isError === true

/** A failed call costs the request alone. */
const requestsAlone = (reserved: Cost): Cost =>
  Object.fromEntries(
    Object.entries(reserved).map(([meter, amount]) => [meter, meter === 'requests' ? amount : 0]),
  )

const toolCall = (tool: string, args: unknown, extra: ToolCallExtra, own: string | undefined): ToolCall => ({
  tool,
  args,
  extra,
  auth: extra.authInfo,
  session: extra.sessionId ?? (extra.requestInfo === undefined ? own : undefined),
})

/** The sessions of servers whose transport has none: such a server has one client. */
const sessions = new WeakMap<object, string>()

const sessionOf = (server: object): string => {
  const session = sessions.get(server) ?? crypto.randomUUID()
  sessions.set(server, session)
  return session
}

const limitedServer = <S extends ToolServer>(server: S, run: Run): Pick<S, 'registerTool'> => {
  if (typeof server?.registerTool !== 'function')
    throw invalidArgument('server', 'have registerTool(), as McpServer has')
  const own = sessionOf(server)
  const registerTool = (tool: string, config: object, handler: (...parts: unknown[]) => unknown): unknown => {
    if (typeof tool !== 'string' || !CHARGED_PATTERN.test(tool))
      throw invalidArgument('the name of a tool', CHARGED_RULE)
    if (typeof handler !== 'function')
      throw invalidArgument('the handler of a tool', 'be a function; tasks are not limited')
    const declaresOutput = 'outputSchema' in config && config.outputSchema !== undefined
    const limited = async (...parts: unknown[]): Promise<unknown> => {
      const call = toolCall(tool, parts.length > 1 ? parts[0] : undefined, extraOf(parts.at(-1)), own)
      return run(call, () => handler(...parts)).catch((error: unknown) => {
        if (error instanceof ToolRefused) return refusedResult(error.data, declaresOutput)
        throw error
      })
    }
    // the server's own type describes both, and is the type of the result
    return server.registerTool(tool, config as never, limited as never)
  }
  return { registerTool } as Pick<S, 'registerTool'>
}

const extraOf = (value: unknown): ToolCallExtra => (typeof value === 'object' && value !== null ? value : {})
