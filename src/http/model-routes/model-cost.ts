import type { Cost } from '../../core/model/meter.ts'
import type { Model } from '../../core/model/model.ts'
import {
  highestPriceOf,
  highestWeightedTokens,
  type PricedUse,
  priceOf,
  weightedTokens,
} from '../../core/model/prices.ts'
import type { ModelApi, ModelUsage, PromptEstimate, RequestBilling } from '../../core/ports/model-backend.ts'

/*
 * The cost of a request per meter: before it is sent the most that its estimate may cost, so that a limit that admits it cannot
 * be exceeded, afterwards what was used. A model without prices has no cost in money. Counting tokens costs a request and no
 * tokens.
 */

type Costed = { readonly api: ModelApi; readonly model: Pick<Model, 'prices' | 'tokenWeights'> }

type Writable = { -readonly [M in keyof Cost]: Cost[M] }

/** Of a request whose price depends on its tokens alone. */
const BY_TOKENS: RequestBilling = {
  cacheWrites: 'none',
  tiers: ['standard'],
  imagesSent: 0,
  imagesAsked: 0,
  audioSeconds: 0,
}

/** The cost to reserve, with at most this much output. */
export const estimatedCost = (
  { api, model: { prices, tokenWeights } }: Costed,
  { inputTokens: input, billing = BY_TOKENS }: Pick<PromptEstimate, 'inputTokens' | 'billing'>,
  output: number,
): Cost => {
  if (api === 'count_tokens') return ONE_REQUEST
  const cost = tokenCost(input, output)
  if (tokenWeights !== null)
    cost.tokens = highestWeightedTokens(tokenWeights, { input, output, cacheWrites: billing.cacheWrites })
  if (prices !== null) {
    const { cacheWrites, tiers, imagesSent, imagesAsked, audioSeconds } = billing
    const images = imagesSent + imagesAsked
    cost.cost_usd_micros = highestPriceOf(prices, { input, output, cacheWrites, tiers, images, audioSeconds })
  }
  return cost
}

/** The cost of what was used. What the upstream does not report counts as requested. */
export const usedCost = (
  { api, model: { prices, tokenWeights } }: Costed,
  usage: ModelUsage,
  billing: RequestBilling = BY_TOKENS,
): Cost => {
  if (api === 'count_tokens') return ONE_REQUEST
  const cost = tokenCost(usage.inputTokens, usage.outputTokens)
  if (tokenWeights === null && prices === null) return cost
  const use = pricedUse(usage, billing)
  if (tokenWeights !== null) cost.tokens = weightedTokens(tokenWeights, use)
  if (prices !== null) cost.cost_usd_micros = priceOf(prices, use)
  return cost
}

/** In one literal: to spread two objects takes ten times as long as to compute the price. */
const pricedUse = (usage: ModelUsage, billing: RequestBilling): PricedUse => ({
  input: usage.inputTokens,
  output: usage.outputTokens,
  cachedInput: usage.cachedInputTokens ?? 0,
  cacheWrite: usage.cacheWriteTokens ?? 0,
  cacheWrite1h: usage.cacheWrite1hTokens ?? 0,
  images: billing.imagesSent + (usage.images ?? 0),
  audioSeconds: usage.audioSeconds ?? billing.audioSeconds,
  tier: usage.serviceTier ?? billing.tiers[0] ?? 'standard',
})

/** A request that used no tokens, as the upstream refused it. */
export const refusedCost = ({ api, model: { prices } }: Costed): Cost => {
  if (api === 'count_tokens') return ONE_REQUEST
  const cost = tokenCost(0, 0)
  if (prices !== null) cost.cost_usd_micros = 0
  return cost
}

const tokenCost = (input: number, output: number): Writable => ({
  requests: 1,
  input_tokens: input,
  output_tokens: output,
  tokens: input + output,
})

const ONE_REQUEST: Cost = { requests: 1 }
