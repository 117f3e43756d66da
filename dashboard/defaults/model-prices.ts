import type { Model } from '../api/responses.ts'
import { dollarsText } from '../parts/amounts.ts'

/** A price or a weight of the form, by its path in the API: `long_context.above_tokens`. */
export type Path = string

/** Texts of fields by path; those that are empty are not set. */
export type NumberTexts = Readonly<Record<Path, string>>

export interface PriceField {
  readonly path: Path
  readonly label: string
  readonly hint?: string
  /** Required as soon as another field of its group is set. */
  readonly isBasic?: boolean
  readonly step?: number
}

export interface PriceGroup {
  readonly legend: string
  readonly note?: string
  readonly fields: readonly PriceField[]
}

const AS_INPUT = 'blank: as input'

const tier = (name: 'flex' | 'priority', legend: string): PriceGroup => ({
  legend,
  fields: [
    { path: `service_tiers.${name}.input_per_million`, label: `${legend}, input`, isBasic: true },
    { path: `service_tiers.${name}.output_per_million`, label: `${legend}, output`, isBasic: true },
    {
      path: `service_tiers.${name}.cached_input_per_million`,
      label: `${legend}, cached input`,
      hint: 'blank: as its input',
    },
    {
      path: `service_tiers.${name}.cache_write_per_million`,
      label: `${legend}, cache write`,
      hint: 'blank: as its input',
    },
  ],
})

/** The prices that every model with prices has. */
export const BASE_PRICES: PriceGroup = {
  legend: 'US dollars per million tokens',
  note: 'Without prices, budgets do not apply to its requests. 0 means free.',
  fields: [
    { path: 'input_per_million', label: 'Input', isBasic: true },
    { path: 'output_per_million', label: 'Output', isBasic: true },
    { path: 'cached_input_per_million', label: 'Cached input', hint: AS_INPUT },
    { path: 'cache_write_per_million', label: 'Cache write', hint: AS_INPUT },
    { path: 'cache_write_1h_per_million', label: 'Cache write for an hour', hint: 'blank: as other writes' },
  ],
}

/** Prices of some requests only. */
export const FURTHER_PRICES: readonly PriceGroup[] = [
  {
    legend: 'Long context',
    note: 'The prices of all tokens of requests with more input than this.',
    fields: [
      { path: 'long_context.above_tokens', label: 'Above, tokens', isBasic: true, step: 1 },
      { path: 'long_context.input_per_million', label: 'Long context, input', isBasic: true },
      { path: 'long_context.output_per_million', label: 'Long context, output', isBasic: true },
    ],
  },
  tier('flex', 'Flex'),
  tier('priority', 'Priority'),
  {
    legend: 'US dollars each',
    fields: [
      { path: 'per_image', label: 'Image', hint: 'sent or generated' },
      { path: 'per_audio_second', label: 'Second of audio', hint: 'that a request sends' },
    ],
  },
]

export const WEIGHTS: PriceGroup = {
  legend: 'Weights of tokens',
  note: 'What each token counts in limits on tokens, as in the quota of a provider. Input and output tokens stay real.',
  fields: [
    { path: 'input', label: 'Weight of input' },
    { path: 'output', label: 'Weight of output' },
    { path: 'cached_input', label: 'Weight of cached input' },
    { path: 'cache_write', label: 'Weight of cache writes' },
  ].map((field) => ({ ...field, hint: 'blank: 1' })),
}

type Nested = { readonly [name: string]: number | Nested | undefined }

/** The numbers of nested objects, by path. */
export const textsOf = (value: Nested | null, prefix = ''): NumberTexts => {
  const texts: Record<Path, string> = {}
  for (const [name, part] of Object.entries(value ?? {})) {
    if (typeof part === 'number') texts[prefix + name] = String(part)
    else if (part !== undefined) Object.assign(texts, textsOf(part, `${prefix}${name}.`))
  }
  return texts
}

interface Built {
  [name: string]: number | Built
}

/** The nested objects of all texts that are set; null: none is. */
export const numbersOf = (texts: NumberTexts): Built | null => {
  const set = Object.entries(texts).filter(([, text]) => text.trim() !== '')
  if (set.length === 0) return null
  const built: Built = {}
  for (const [path, text] of set) put(built, path.split('.'), Number(text))
  return built
}

const put = (into: Built, [name = '', ...rest]: readonly string[], value: number): void => {
  if (rest.length === 0) {
    into[name] = value
    return
  }
  const inner = into[name]
  const object = typeof inner === 'object' ? inner : {}
  into[name] = object
  put(object, rest, value)
}

/** Whether any of these fields is set. */
export const isAnySet = (texts: NumberTexts, fields: readonly PriceField[]): boolean =>
  fields.some(({ path }) => (texts[path] ?? '').trim() !== '')

/** Whether any price is set: then input and output are required. */
export const hasPrices = (prices: NumberTexts): boolean =>
  Object.values(prices).some((text) => text.trim() !== '')

/** `$2.50 in, $1.25 cached, $10.00 out`, and what else it has prices of. */
export const pricesText = (prices: Model['prices']): string => {
  if (prices === null) return 'no prices: budgets do not apply'
  const { input_per_million: input, output_per_million: output, cached_input_per_million: cached } = prices
  const others = [
    ...(prices.long_context === undefined ? [] : ['long context']),
    ...Object.keys(prices.service_tiers ?? {}),
    ...(prices.per_image === undefined ? [] : [`${dollarsText(prices.per_image)} an image`]),
    ...(prices.per_audio_second === undefined
      ? []
      : [`${dollarsText(prices.per_audio_second)} a second of audio`]),
  ]
  const tokens = [
    `${dollarsText(input)} in`,
    ...(cached === undefined ? [] : [`${dollarsText(cached)} cached`]),
    `${dollarsText(output)} out`,
  ].join(', ')
  return others.length === 0 ? tokens : `${tokens}; ${others.join(', ')}`
}

/** `output × 5, cached input × 0`; undefined: every token counts 1. */
export const weightsText = (weights: Model['token_weights']): string | undefined => {
  const set = Object.entries(weights ?? {}).filter(([, weight]) => weight !== 1)
  return set.length === 0
    ? undefined
    : set.map(([name, weight]) => `${name.replace('_', ' ')} × ${weight}`).join(', ')
}
