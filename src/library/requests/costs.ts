import { type Cost, isAmount } from '../../core/model/meter.ts'
import type { Logger } from '../../core/ports/platform.ts'
import { checkedCost, invalidArgument } from '../arguments.ts'

/** A request as the middleware sees it, whatever the framework. */
export interface RequestFacts<Native = unknown> {
  readonly method: string
  /** The whole path, without the query, wherever the middleware is mounted: `/api/data`. */
  readonly path: string
  /** The path as the router routes it that the middleware is mounted on: `/data` in one that is mounted at `/api`. */
  readonly mountedPath?: string
  /** The address of the connection; `unknown` where the platform provides none. */
  readonly connection: string
  /** The address of the client according to the framework, where it trusts a proxy: Express's `req.ip`. */
  readonly clientAddress?: string | undefined
  /** The framework's own: Hono's `Context`, Express's `Request`. */
  readonly native: Native
  /** The middleware's. */
  readonly logger?: Logger
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined
}

/** An answer as the middleware sees it. */
export interface AnswerFacts {
  readonly status: number
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined
  /** The body where it is JSON and of moderate size; undefined of any other, and of one that streams. */
  json(): Promise<unknown>
}

/** Says what a request costs: an estimate where answers are settled. */
export type CostFunction<Native = unknown> = (request: RequestFacts<Native>) => Cost | Promise<Cost>

/** One request, and nothing else. */
export const ONE_REQUEST: Cost = { requests: 1 }

/**
 * So many requests by method, one for methods that are not named. Throws `TypeError` for an amount that is invalid.
 *
 * @example
 * costByMethod({ POST: 5, DELETE: 5 })
 */
export const costByMethod = (requests: Readonly<Record<string, number>>): CostFunction => {
  if (typeof requests !== 'object' || requests === null) {
    throw invalidArgument('costByMethod()', 'get amounts by method, such as { POST: 5 }')
  }
  const costs = new Map<string, Cost>()
  for (const [method, amount] of Object.entries(requests)) {
    costs.set(method.toUpperCase(), checkedCost({ requests: amount }, `costByMethod().${method}`))
  }
  return ({ method }) => costs.get(method) ?? ONE_REQUEST
}

/** Says what an answer really used; undefined where it tells nothing. */
export type SettleFunction = (answer: AnswerFacts) => Cost | undefined | Promise<Cost | undefined>

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** What `X-Token-Count` of the answer says: a whole number of tokens. */
export const byTokenCount: SettleFunction = ({ header }) => {
  const text = header('x-token-count')?.trim() ?? ''
  const tokens = /^\d+$/.test(text) ? amount(Number(text)) : undefined
  return tokens === undefined ? undefined : { tokens }
}

/**
 * What `usage` in a JSON answer says, in OpenAI's words (`prompt_tokens`, `completion_tokens`, `total_tokens`) or with
 * `input_tokens` and `output_tokens`.
 */
export const byJsonUsage: SettleFunction = async (answer) => {
  const body = await answer.json()
  const usage = isFields(body) ? body.usage : undefined
  if (!isFields(usage)) return undefined
  const input = amount(usage.prompt_tokens) ?? amount(usage.input_tokens)
  const output = amount(usage.completion_tokens) ?? amount(usage.output_tokens)
  const total = amount(usage.total_tokens) ?? sumOf(input, output)
  const cost: Cost = {
    ...(input !== undefined && { input_tokens: input }),
    ...(output !== undefined && { output_tokens: output }),
    ...(total !== undefined && { tokens: total }),
  }
  return Object.keys(cost).length === 0 ? undefined : cost
}

/** `X-Token-Count`, else the `usage` of a JSON answer. */
export const byAnswer: SettleFunction = async (answer) =>
  (await byTokenCount(answer)) ?? (await byJsonUsage(answer))

const amount = (value: unknown): number | undefined =>
  typeof value === 'number' && isAmount(value) ? value : undefined

const sumOf = (input: number | undefined, output: number | undefined): number | undefined =>
  input === undefined && output === undefined ? undefined : (input ?? 0) + (output ?? 0)
