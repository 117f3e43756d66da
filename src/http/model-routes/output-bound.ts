import type { Cost } from '../../core/model/meter.ts'
import { type Model, priceOf } from '../../core/model/model.ts'
import type { PromptEstimate } from '../../core/ports/model-backend.ts'

/**
 * The most output tokens per choice of a request that names no maximum: the model's, and at most what the limits can ever admit
 * beside the prompt; at least 1. It is reserved, and sent upstream, so that nothing unreserved is generated. Null: the request
 * names a maximum, the API generates no output, or the model has a default of its own. `admissible`: per meter, the largest
 * amount of one request.
 */
export const outputBoundOf = (estimate: PromptEstimate, model: Model, admissible: Cost): number | null => {
  if (!needsBound(estimate)) return null
  const { inputTokens, choices } = estimate
  const all = Math.min(
    model.maxOutputTokens * choices,
    (admissible.tokens ?? Number.POSITIVE_INFINITY) - inputTokens,
    admissible.output_tokens ?? Number.POSITIVE_INFINITY,
    affordable(model, inputTokens, admissible.cost_usd_micros),
  )
  return Math.max(1, Math.floor(all / choices))
}

/** Whether `outputBoundOf` returns a bound, so that the caller must know what is admissible. */
export const needsBound = ({ namedOutputTokens, choices, defaultOutputTokens }: PromptEstimate): boolean =>
  choices !== 0 && namedOutputTokens === null && defaultOutputTokens === null

/** Output tokens that a budget of `micros` micro-dollars pays beside the prompt. */
const affordable = ({ prices }: Model, inputTokens: number, micros: number | undefined): number => {
  if (prices === null || micros === undefined) return Number.POSITIVE_INFINITY
  let [least, most] = [0, MOST_TOKENS]
  // the price grows with the output, but in steps where a long context costs more
  while (least < most) {
    const middle = Math.ceil((least + most) / 2)
    if (priceOf(prices, { input: inputTokens, output: middle }) <= micros) least = middle
    else most = middle - 1
  }
  return least
}

/** Far above any model's output. */
const MOST_TOKENS = 1_048_576

/** The most output tokens of all choices: the amount to reserve. */
export const reservedOutput = (estimate: PromptEstimate, bound: number | null): number => {
  const { namedOutputTokens, choices, defaultOutputTokens } = estimate
  return namedOutputTokens ?? (bound ?? defaultOutputTokens ?? 0) * choices
}
