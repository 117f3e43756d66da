import * as v from 'valibot'
import { boundedList, checkedByHand, openObject } from './containers.ts'

/*
 * Fields that the APIs of models share. Messages of issues complete "<field> must …". Bounds are larger than those of the
 * providers where compatible upstreams allow more.
 */

/** Far above any model's window; keeps sums whole. */
export const MAX_TOKENS = 1_000_000_000

const MAX_PARTS = 2048

export const MAX_MESSAGES = 2048

const MAX_TOOLS = 1024

const MAX_STOPS = 64

/** A maximum of output tokens. */
export const maxTokens = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TOKENS)))

export const integerBetween = (least: number, most: number) =>
  v.nullish(v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most)))

export const numberBetween = (least: number, most: number) =>
  v.nullish(v.pipe(v.number(), v.minValue(least), v.maxValue(most)))

/** The model's name; without one it is in a header, or the default. */
export const modelName = v.nullish(v.pipe(v.string(), v.nonEmpty('not be empty')))

export const streamFlag = v.nullish(v.boolean())

export const streamOptions = v.nullish(openObject({ include_usage: v.nullish(v.boolean()) }))

const STOP = `be a string or a list of at most ${MAX_STOPS} strings`

export const stopTexts = v.nullish(
  v.union([v.string(), boundedList(v.string(), { most: MAX_STOPS, must: STOP })], STOP),
)

export const toolList = v.nullish(
  boundedList(openObject({}), { most: MAX_TOOLS, must: `contain at most ${MAX_TOOLS} tools` }),
)

/** Checked by hand: there may be thousands of parts, and a schema takes fifty times as long for each. */
export const content = checkedByHand(
  v.union([v.string(), v.pipe(v.array(v.looseObject({ type: v.string() })), v.maxLength(MAX_PARTS))]),
  (value) => typeof value === 'string' || isPartList(value),
  `be a string or a list of at most ${MAX_PARTS} parts, each with a type`,
)

const isPartList = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= MAX_PARTS && value.every(isPart)

const isPart = (part: unknown): boolean =>
  typeof part === 'object' && part !== null && 'type' in part && typeof part.type === 'string'

export const messageList = <S extends v.GenericSchema>(message: S) =>
  boundedList(message, { least: 1, most: MAX_MESSAGES, must: `contain 1 to ${MAX_MESSAGES} messages` })

/** zael's own field in the request of each API. */
export const sessionName = v.nullish(
  v.pipe(
    v.string(),
    v.description(
      'The session: selects SESSION policies. zael removes it from the request that it sends upstream',
    ),
  ),
)

/** At most this many texts in one request, as at OpenAI. */
const MAX_TEXTS = 2048

/**
 * Texts of completions and embeddings: one, a list, token ids, or lists of token ids. Checked by hand, as the ids of a long
 * text are tens of thousands.
 */
export const texts = checkedByHand(
  v.union([
    v.string(),
    v.array(v.string()),
    v.array(v.pipe(v.number(), v.integer())),
    v.array(v.array(v.pipe(v.number(), v.integer()))),
  ]),
  (value) => typeof value === 'string' || (Array.isArray(value) && isTextList(value)),
  `be a string, a list of 1 to ${MAX_TEXTS} strings, a list of token ids, or a list of 1 to ${MAX_TEXTS} lists of them`,
)

const isTextList = (list: readonly unknown[]): boolean => {
  if (list.length === 0) return false
  if (isTokenList(list)) return true
  return list.length <= MAX_TEXTS && (list.every(isText) || list.every(isTokens))
}

const isText = (value: unknown): boolean => typeof value === 'string'

const isTokens = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && isTokenList(value)

const isTokenList = (list: readonly unknown[]): boolean => list.every(isTokenId)

const isTokenId = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0
