import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import type { ServiceTier } from '../../core/model/prices.ts'
import type { ModelUsage } from '../../core/ports/model-backend.ts'
import { isObject } from '../json-values.ts'
import type { Served } from './wire-api.ts'

/**
 * More than any request can use, whatever an upstream reports: the longest contexts have 10 million tokens, and the largest
 * requests of embeddings 2,048 texts of 8,192. What is above it is a mistake, and must not empty a budget.
 */
export const MAX_TOKENS = 20_000_000

/** A count of tokens, at most `MAX_TOKENS`; undefined: it is none. */
export const countOf = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? Math.min(value, MAX_TOKENS) : undefined

/** Counts as an upstream reports them. */
interface ReportedCounts {
  readonly input: number | undefined
  readonly output: number | undefined
  readonly cached?: number | undefined
  readonly cacheWrite?: number | undefined
  /** The part of `cacheWrite` that is kept for an hour. */
  readonly cacheWrite1h?: number | undefined
  readonly audioSeconds?: number | undefined
}

/** The parts in a cache are at most the whole input. Undefined: a count is missing, or all are zero. */
export const usageFrom = (counts: ReportedCounts): ModelUsage | undefined => {
  const { input, output, cached, cacheWrite } = counts
  if (input === undefined || output === undefined || input + output === 0) return undefined
  const read = cached === undefined ? undefined : Math.min(cached, input)
  const usage: { -readonly [K in keyof ModelUsage]: ModelUsage[K] } = {
    inputTokens: input,
    outputTokens: output,
  }
  if (read !== undefined) usage.cachedInputTokens = read
  if (cacheWrite !== undefined) usage.cacheWriteTokens = Math.min(cacheWrite, input - (read ?? 0))
  if (counts.cacheWrite1h) usage.cacheWrite1hTokens = counts.cacheWrite1h
  if (counts.audioSeconds) usage.audioSeconds = counts.audioSeconds
  return usage
}

/** The tier by which an upstream bills; undefined: it names none. Only two tiers have prices of their own. */
export const tierOf = (value: JsonValue | undefined): ServiceTier | undefined => {
  if (typeof value !== 'string' || value === '' || value === 'auto') return undefined
  return value === 'flex' || value === 'priority' ? value : 'standard'
}

/** A usage with the tier and the images of its response; the same one if it has neither. */
export const withServed = (
  usage: ModelUsage | undefined,
  { tier, images }: Served,
): ModelUsage | undefined => {
  if (usage === undefined || (tier === undefined && images === 0)) return usage
  return { ...usage, ...(tier !== undefined && { serviceTier: tier }), ...(images > 0 && { images }) }
}

/** Mistral reports the seconds of the audio in a prompt. */
const secondsOf = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'number' && value >= 0 ? Math.min(value, MAX_TOKENS) : undefined

/**
 * OpenAI's `usage` of chat and completions. Providers that leave reasoning out of `completion_tokens` include it in the total
 * (xAI, Gemini), and bill it: the output is what the total has beside the prompt.
 */
export const completionUsage = (usage: JsonValue | undefined): ModelUsage | undefined => {
  if (!isObject(usage)) return undefined
  const input = countOf(usage.prompt_tokens)
  const details = objectOrNone(usage.prompt_tokens_details)
  return usageFrom({
    input,
    output: withReasoning(countOf(usage.completion_tokens), countOf(usage.total_tokens), input),
    cached: countOf(details.cached_tokens) ?? countOf(usage.prompt_cache_hit_tokens),
    cacheWrite: countOf(details.cache_write_tokens),
    audioSeconds: secondsOf(usage.prompt_audio_seconds),
  })
}

/** OpenAI's `usage` of the Responses API. */
export const responseUsage = (usage: JsonValue | undefined): ModelUsage | undefined => {
  if (!isObject(usage)) return undefined
  const input = countOf(usage.input_tokens)
  const details = objectOrNone(usage.input_tokens_details)
  return usageFrom({
    input,
    output: withReasoning(countOf(usage.output_tokens), countOf(usage.total_tokens), input),
    cached: countOf(details.cached_tokens),
    cacheWrite: countOf(details.cache_write_tokens),
  })
}

const withReasoning = (
  output: number | undefined,
  total: number | undefined,
  input: number | undefined,
): number | undefined =>
  output === undefined || total === undefined || input === undefined
    ? output
    : Math.max(output, total - input)

const NONE: JsonObject = {}

const objectOrNone = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : NONE)

/** Images that models generate: of a message of chat, as OpenRouter and others send them. */
export const imagesIn = (message: JsonObject): number =>
  Array.isArray(message.images) ? Math.min(message.images.length, MAX_IMAGES) : 0

const MAX_IMAGES = 10_000

/** The usage, unless it has no output although the response has some: some upstreams report zeros. */
export const credible = (usage: ModelUsage | undefined, hasOutput: () => boolean): ModelUsage | undefined =>
  usage !== undefined && usage.outputTokens === 0 && hasOutput() ? undefined : usage

/** Fields that no model writes, or that repeat or encode what it wrote. */
const NOT_WRITTEN = new Set([
  'id',
  'type',
  'index',
  'role',
  'status',
  'format',
  'call_id',
  'data',
  'signature',
  'encrypted_content',
  'result',
  'logprobs',
  'annotations',
])

/** An upstream's JSON may be nested without bound. */
const MAX_LEVELS = 8

/** All strings that a model wrote within a value, in order. */
export const writtenText = (value: JsonValue | undefined, levels = MAX_LEVELS): string => {
  if (typeof value === 'string') return value
  if (levels === 0) return ''
  if (Array.isArray(value)) return value.map((item) => writtenText(item, levels - 1)).join('')
  if (!isObject(value)) return ''
  let text = ''
  for (const [name, part] of Object.entries(value)) {
    if (!NOT_WRITTEN.has(name)) text += writtenText(part, levels - 1)
  }
  return text
}
