import type { JsonObject } from '../../core/model/json.ts'
import type { ModelCall, ModelCharge, ModelProblem } from '../../core/ports/model-backend.ts'
import { errorIn } from '../apis/error-in.ts'
import type { WireApi } from '../apis/wire-api.ts'
import { isObject, objectsIn, parseObject } from '../json-values.ts'
import { textOf } from './whole-body.ts'

export type CountText = (text: string) => Promise<number>

/**
 * A copy of a whole response; undefined: it is no JSON object. Of many embeddings only their usage: parsing the numbers would
 * hold the event loop for over a second.
 */
export const parseResponse = (api: WireApi, body: Uint8Array): JsonObject | undefined => {
  const usage =
    api.name === 'embeddings' && body.byteLength > MAX_PARSED_EMBEDDINGS ? usageIn(body) : undefined
  return usage ?? parseObject(textOf(body))
}

/** In bytes. */
const MAX_PARSED_EMBEDDINGS = 256 * 1024

/** In bytes. Usage has a few numbers. */
const MAX_USAGE = 2_048

/** The last field `usage` of a JSON text, which stands behind the embeddings or before them; undefined: it cannot be told. */
const usageIn = (body: Uint8Array): JsonObject | undefined => {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const at = bytes.lastIndexOf('"usage"')
  if (at === -1) return undefined
  const text = bytes.toString('utf8', at, at + MAX_USAGE)
  const end = endOfObject(text)
  const found = end === undefined ? undefined : parseObject(`{${text.slice(0, end)}}`)
  return found !== undefined && isObject(found.usage) ? found : undefined
}

/** Behind the brace that closes the first object in a text. */
const endOfObject = (text: string): number | undefined => {
  let depth = 0
  for (const { index, 0: brace } of text.matchAll(/[{}]/g)) {
    depth += brace === '{' ? 1 : -1
    if (depth <= 0) return index + 1
  }
  return undefined
}

const REQUEST: ModelCharge = { of: 'request' }

/** The usage that a response reports; else, or where it is zero beside text, the tokens of its text. */
export const chargeOf = async (
  api: WireApi,
  { inputTokens }: Pick<ModelCall, 'inputTokens'>,
  response: JsonObject,
  countText: CountText,
): Promise<ModelCharge> => {
  if (api.name === 'count_tokens') return REQUEST
  const reported = api.usageOf(response)
  if (reported !== undefined) return { of: 'usage', usage: reported }
  const text = api.textOf(response)
  const outputTokens = text === '' ? 0 : await countText(text)
  return { of: 'usage', usage: { inputTokens, outputTokens } }
}

/** The lists of which one contains the answer, in all APIs. */
const ANSWERS = ['choices', 'output', 'content', 'data'] as const

/** The error in a response with status 200, unless there is an answer beside it. */
export const errorInstead = (response: JsonObject): ModelProblem | undefined => {
  const problem = errorIn(response)
  if (problem === undefined) return undefined
  return ANSWERS.some((field) => objectsIn(response[field]).length > 0) ? undefined : problem
}
