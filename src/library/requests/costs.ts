import { type Cost, isAmount } from '../../core/model/meter.ts'
import type { Logger } from '../../core/ports/platform.ts'
import { checkedCost, invalidArgument } from '../arguments.ts'

/** A request, independent of the framework. */
export interface RequestFacts<Native = unknown> {
  readonly method: string
  /** The whole path without the query, independent of where the middleware is mounted: `/api/data`. */
  readonly path: string
  /** The path relative to the router of the middleware: `/data` in a router that is mounted at `/api`. */
  readonly mountedPath?: string
  /** The address of the connection; `unknown` where the platform provides none. */
  readonly connection: string
  /** The address of the client according to the framework, if it trusts a proxy: `req.ip` of Express. */
  readonly clientAddress?: string | undefined
  /** The object of the framework: `Context` of Hono, `Request` of Express. */
  readonly native: Native
  /** The logger of the middleware. */
  readonly logger?: Logger
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined
}

/** A response, independent of the framework. */
export interface ResponseFacts {
  readonly status: number
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined
  /** The body if it is JSON of moderate size; undefined for any other, and for a stream. */
  json(): Promise<unknown>
}

/** @deprecated Use `ResponseFacts`. */
export type AnswerFacts = ResponseFacts

/** Returns the cost of a request: an estimate if responses are settled. */
export type CostFunction<Native = unknown> = (request: RequestFacts<Native>) => Cost | Promise<Cost>

/** One request, and nothing else. */
export const ONE_REQUEST: Cost = { requests: 1 }

/**
 * A number of requests per method; one for other methods. Throws `TypeError` for an invalid amount.
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

/** Returns the actual cost of a response, or undefined if the response does not contain it. */
export type SettleFunction = (response: ResponseFacts) => Cost | undefined | Promise<Cost | undefined>

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** The header `X-Token-Count` of the response: a whole number of tokens. */
export const byTokenCount: SettleFunction = ({ header }) => {
  const text = header('x-token-count')?.trim() ?? ''
  const tokens = /^\d+$/.test(text) ? amount(Number(text)) : undefined
  return tokens === undefined ? undefined : { tokens }
}

/**
 * `usage` of a JSON response, with the names of OpenAI (`prompt_tokens`, `completion_tokens`, `total_tokens`) or with
 * `input_tokens` and `output_tokens`.
 */
export const byJsonUsage: SettleFunction = async (response) => {
  const body = await response.json()
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

/** `X-Token-Count`, else `usage` of a JSON response. */
export const byResponse: SettleFunction = async (response) =>
  (await byTokenCount(response)) ?? (await byJsonUsage(response))

/** @deprecated Use `byResponse`. */
export const byAnswer = byResponse

const amount = (value: unknown): number | undefined =>
  typeof value === 'number' && isAmount(value) ? value : undefined

const sumOf = (input: number | undefined, output: number | undefined): number | undefined =>
  input === undefined && output === undefined ? undefined : (input ?? 0) + (output ?? 0)
