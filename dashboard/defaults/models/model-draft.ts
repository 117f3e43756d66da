import type { Model } from '../../api/answers.ts'

/** A model as it is typed. */
export interface ModelDraft {
  readonly id: string
  readonly tier: string
  /** US dollars per million tokens; all empty: it has no prices. */
  readonly input: string
  readonly output: string
  readonly cached: string
}

export const NEW_MODEL: ModelDraft = { id: '', tier: '', input: '', output: '', cached: '' }

export const modelDraftOf = ({ model_id, tier, prices }: Model): ModelDraft => ({
  id: model_id,
  tier: tier ?? '',
  input: text(prices?.input_per_million),
  output: text(prices?.output_per_million),
  cached: text(prices?.cached_input_per_million),
})

const text = (price: number | undefined): string => (price === undefined ? '' : String(price))

/** Whether anything is said of prices: then input and output are needed. */
export const hasPrices = ({ input, output, cached }: ModelDraft): boolean =>
  [input, output, cached].some((price) => price.trim() !== '')

/** What is sent. */
export const modelBody = (draft: ModelDraft) => ({
  tier: draft.tier.trim() || null,
  prices: hasPrices(draft)
    ? {
        input_per_million: Number(draft.input),
        output_per_million: Number(draft.output),
        ...(draft.cached.trim() !== '' && { cached_input_per_million: Number(draft.cached) }),
      }
    : null,
})

const DOLLARS = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 2,
  maximumFractionDigits: 6,
})

/** `$2.50 in, $1.25 cached, $10.00 out` */
export const pricesText = (prices: Model['prices']): string => {
  if (prices === null) return 'no prices'
  const { input_per_million: input, output_per_million: output, cached_input_per_million: cached } = prices
  return [
    `${DOLLARS.format(input)} in`,
    ...(cached === undefined ? [] : [`${DOLLARS.format(cached)} cached`]),
    `${DOLLARS.format(output)} out`,
  ].join(', ')
}
