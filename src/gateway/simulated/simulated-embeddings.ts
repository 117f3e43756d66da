import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JsonObject, JsonValue } from '../../core/model/json.ts'

/** As OpenAI's text-embedding-3-small, and -large. */
const [DIMENSIONS, LARGE_DIMENSIONS] = [1536, 3072]

/** Numbers in a response: 2,048 texts in 512 dimensions each. */
export const MAX_NUMBERS = 1_048_576

/** Numbers between two turns of the event loop, some 2 ms as JSON. */
const NUMBERS_PER_TURN = 8192

interface EmbeddingCall {
  readonly body: JsonObject
  readonly model: string
  readonly inputTokens: number
}

/** How many numbers the response has. */
export const numbersOf = ({ body, model }: EmbeddingCall): number =>
  inputsOf(body).length * dimensionsOf(body, model)

/** A whole response as JSON: each text has the same unit vector whenever it is sent. */
export const embeddingsJson = async (call: EmbeddingCall): Promise<string> => {
  const { body, model, inputTokens } = call
  const dimensions = dimensionsOf(body, model)
  const items: string[] = []
  let made = 0
  for (const [index, input] of inputsOf(body).entries()) {
    const vector = unitVector(seedOf(input), dimensions)
    const embedding = body.encoding_format === 'base64' ? base64Of(vector) : [...vector]
    items.push(JSON.stringify({ object: 'embedding', index, embedding }))
    made += dimensions
    if (made >= NUMBERS_PER_TURN) {
      await nextTurn()
      made = 0
    }
  }
  const usage = JSON.stringify({ prompt_tokens: inputTokens, total_tokens: inputTokens })
  return `{"object":"list","data":[${items.join(',')}],"model":${JSON.stringify(model)},"usage":${usage}}`
}

const dimensionsOf = ({ dimensions }: JsonObject, model: string): number => {
  if (typeof dimensions === 'number') return dimensions
  return model.includes('large') ? LARGE_DIMENSIONS : DIMENSIONS
}

/** A list of token ids is one input. */
const inputsOf = ({ input = null }: JsonObject): readonly JsonValue[] =>
  Array.isArray(input) && typeof input[0] !== 'number' ? input : [input]

/** FNV-1a of the text, or of the ids as text. */
const seedOf = (input: JsonValue): number => {
  const text = typeof input === 'string' ? input : JSON.stringify(input)
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

/** Numbers of the generator mulberry32, scaled to length 1. */
const unitVector = (seed: number, dimensions: number): Float32Array => {
  const vector = new Float32Array(dimensions)
  let [state, squares] = [seed, 0]
  for (let at = 0; at < dimensions; at++) {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    const value = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1
    vector[at] = value
    squares += value * value
  }
  const length = Math.sqrt(squares) || 1
  return vector.map((value) => value / length)
}

/** Little-endian, as the official clients read it. */
const base64Of = (vector: Float32Array): string => {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(value, at * 4)
  return bytes.toString('base64')
}
