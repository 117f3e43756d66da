import type { Cost } from '../../core/model/meter.ts'
import type { Model } from '../../core/model/model.ts'
import type { ModelApi, PromptEstimate } from '../../core/ports/model-backend.ts'
import { estimatedCost } from './model-cost.ts'

/**
 * The most output tokens per choice of a request that names no maximum: the model's, and at most what the limits can ever admit
 * beside the prompt; at least 1. It is reserved, and sent upstream, so that nothing unreserved is generated. Null: the request
 * names a maximum, the API generates no output, or the model has a default of its own. `admissible`: per meter, the largest
 * amount of one request.
 */
export const outputBoundOf = (estimate: PromptEstimate, model: Model, admissible: Cost): number | null => {
  if (!needsBound(estimate)) return null
  const { inputTokens, choices } = estimate
  const { tokens = Number.POSITIVE_INFINITY } = admissible
  const all = Math.min(
    model.maxOutputTokens * choices,
    model.tokenWeights === null ? tokens - inputTokens : affordable('tokens', model, estimate, admissible),
    admissible.output_tokens ?? Number.POSITIVE_INFINITY,
    model.prices === null
      ? Number.POSITIVE_INFINITY
      : affordable('cost_usd_micros', model, estimate, admissible),
  )
  return Math.max(1, Math.floor(all / choices))
}

/** Whether `outputBoundOf` returns a bound, so that the caller must know what is admissible. */
export const needsBound = ({ namedOutputTokens, choices, defaultOutputTokens }: PromptEstimate): boolean =>
  choices !== 0 && namedOutputTokens === null && defaultOutputTokens === null

/** The output that the admissible amount of a meter allows beside the prompt; 0 if it does not allow the prompt. */
const affordable = (
  meter: 'tokens' | 'cost_usd_micros',
  model: Model,
  estimate: PromptEstimate,
  admissible: Cost,
): number => {
  const limit = admissible[meter]
  if (limit === undefined) return Number.POSITIVE_INFINITY
  const request = { api: ANY_GENERATING, model }
  let [least, most] = [0, MOST_TOKENS]
  // the cost grows with the output
  while (least < most) {
    const middle = Math.ceil((least + most) / 2)
    if ((estimatedCost(request, estimate, middle)[meter] ?? 0) <= limit) least = middle
    else most = middle - 1
  }
  return least
}

/** Only requests that generate output have a bound, and all of them cost the same. */
const ANY_GENERATING: ModelApi = 'chat'

/** Far above any model's output. */
const MOST_TOKENS = 1_048_576

/** The most output tokens of all choices: the amount to reserve. */
export const reservedOutput = (estimate: PromptEstimate, bound: number | null): number => {
  const { namedOutputTokens, choices, defaultOutputTokens } = estimate
  return namedOutputTokens ?? (bound ?? defaultOutputTokens ?? 0) * choices
}
