import type { JsonObject } from '../../core/model/json.ts'
import type { ModelCall, ModelCharge, ModelProblem } from '../../core/ports/model-backend.ts'
import { type Eventual, whenReady } from '../../core/ports/when-ready.ts'
import { errorIn } from '../apis/error-in.ts'
import type { WireApi } from '../apis/wire-api.ts'
import { isObject, objectsIn, parseObject } from '../json-values.ts'
import type { CountText } from '../stream/stream-charge.ts'
import { UpstreamFailure, type UpstreamResponse } from './exchange.ts'

/** In bytes: a response of 2048 embeddings with 3072 dimensions has some 64 MiB in decimals. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024

/** Of an error: what is longer is cut off. */
const MAX_ERROR_BYTES = 1024 * 1024

/** A whole response is larger than `MAX_BODY_BYTES`. */
export class BodyTooLarge extends Error {
  constructor() {
    super(`a response of an upstream is larger than ${MAX_BODY_BYTES} bytes`)
    this.name = 'BodyTooLarge'
  }
}

/** Reads a body to its end. Rejects with `UpstreamFailure` or `BodyTooLarge`. */
export const readBody = async (response: UpstreamResponse): Promise<Uint8Array> => {
  const first = await response.read()
  if (first === undefined) return EMPTY
  const second = await response.read()
  if (second === undefined) return first
  const parts = [first, second]
  let size = first.byteLength + second.byteLength
  for (let bytes = await response.read(); bytes !== undefined; bytes = await response.read()) {
    parts.push(bytes)
    size += bytes.byteLength
    if (size > MAX_BODY_BYTES) {
      response.cancel()
      throw new BodyTooLarge()
    }
  }
  return Buffer.concat(parts, size)
}

/** In ms. The status of an error is known before its body, which may never end: another upstream must not wait for it. */
const MAX_ERROR_MS = 5_000

/** Reads the body of an error, as far as it arrives in `waitMs` and up to `MAX_ERROR_BYTES`. */
export const readErrorBody = async (
  response: UpstreamResponse,
  waitMs = MAX_ERROR_MS,
): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  let [size, isLate] = [0, false]
  const timer = setTimeout(() => {
    isLate = true
    response.cancel()
  }, waitMs)
  try {
    for (let bytes = await response.read(); bytes !== undefined; bytes = await response.read()) {
      parts.push(bytes)
      size += bytes.byteLength
      if (size > MAX_ERROR_BYTES) {
        response.cancel()
        break
      }
    }
  } catch (error) {
    if (!(error instanceof UpstreamFailure) || (error.failure === 'aborted' && !isLate)) throw error
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(parts, Math.min(size, MAX_ERROR_BYTES))
}

const EMPTY = new Uint8Array()

const UTF8 = new TextDecoder()

/** A copy of the bytes as text. */
export const textOf = (bytes: Uint8Array): string =>
  Buffer.isBuffer(bytes) ? bytes.toString('utf8') : UTF8.decode(bytes)

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
export const chargeOf = (
  api: WireApi,
  { inputTokens }: Pick<ModelCall, 'inputTokens'>,
  response: JsonObject,
  countText: CountText,
): Eventual<ModelCharge> => {
  if (api.name === 'count_tokens') return REQUEST
  const reported = api.usageOf(response)
  if (reported !== undefined) return { of: 'usage', usage: reported }
  const text = api.textOf(response)
  return whenReady(text === '' ? 0 : countText(text), (outputTokens) => ({
    of: 'usage',
    usage: { inputTokens, outputTokens },
  }))
}

/** The lists of which one contains the answer, in all APIs. */
const ANSWERS = ['choices', 'output', 'content', 'data'] as const

/** The error in a response with status 200, unless there is an answer beside it. */
export const errorInstead = (response: JsonObject): ModelProblem | undefined => {
  const problem = errorIn(response)
  if (problem === undefined) return undefined
  return ANSWERS.some((field) => objectsIn(response[field]).length > 0) ? undefined : problem
}
