import { type Cost, isAmount } from '../../core/model/meter.ts'
import type { AnswerFacts } from './request-facts.ts'

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
