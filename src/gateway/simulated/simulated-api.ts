import type { JsonObject } from '../../core/model/json.ts'
import type { Generation, SimulatedOutput } from './generation.ts'
import type { SimulatedEvent } from './simulated-events.ts'

/** A request to the simulated model, and what it generates. */
export interface SimulatedCall {
  readonly body: JsonObject
  readonly model: string
  readonly requestId: string
  readonly inputTokens: number
  /** In seconds since the epoch. */
  readonly created: number
  /** `node_id` of whole responses, which identifies the node; null: it has no name. */
  readonly nodeId: string | null
  readonly generation: Generation
}

/** How the simulated model writes a response of an API. */
export interface SimulatedApi {
  /** How many choices the response shows. */
  choices(body: JsonObject): number
  /** Output tokens of a choice times this are charged. */
  charged(body: JsonObject): number
  whole(call: SimulatedCall): JsonObject
  events(call: SimulatedCall): Iterator<SimulatedEvent>
}

/** The whole text of one of `choices`. */
export const textOf = ({ output, tokens }: Generation, choices = 1): string =>
  output.kind === 'words' ? simulatedText(0, tokens, choices) : output.text

/** A choice is streamed in at most 256 parts, all choices together in at most 1,024 (or one each). */
const [MAX_CHOICE_PARTS, MAX_PARTS] = [256, 1024]

/** JSON has few tokens. */
const MAX_JSON_PARTS = 16

interface OutputPart {
  readonly text: string
  readonly tokens: number
}

/** The text of one of `choices` in parts. */
export function* partsOf({ output, tokens }: Generation, choices = 1): Generator<OutputPart> {
  if (output.kind !== 'words') yield* jsonParts(output, tokens)
  else {
    const parts = Math.min(MAX_CHOICE_PARTS, Math.ceil(MAX_PARTS / choices))
    const step = Math.ceil(tokens / parts)
    for (let from = 0; from < tokens; from += step) {
      const size = Math.min(step, tokens - from)
      yield { text: simulatedText(from, size, choices), tokens: size }
    }
  }
}

/** All tokens are with the first part. */
function* jsonParts(
  { text }: Exclude<SimulatedOutput, { kind: 'words' }>,
  tokens: number,
): Generator<OutputPart> {
  const step = Math.ceil(text.length / MAX_JSON_PARTS)
  for (let from = 0; from < text.length; from += step) {
    yield { text: text.slice(from, from + step), tokens: from === 0 ? tokens : 0 }
  }
}

/** An event that has no name. */
export const dataEvent = (data: JsonObject, tokens = 0): SimulatedEvent => ({
  text: `data: ${JSON.stringify(data)}\n\n`,
  tokens,
})

/** An event whose name is the type of its data. */
export const namedEvent = (data: JsonObject & { readonly type: string }, tokens = 0): SimulatedEvent => ({
  text: `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`,
  tokens,
})

export const DONE: SimulatedEvent = { text: 'data: [DONE]\n\n', tokens: 0 }

/** Each is one o200k token, whatever comes before it. */
const WORDS = ' This response is simulated : no model was called , and every word is one token .'
  .split(/(?= )/)
  .map((word) => (/\w/.test(word) ? word : word.trim()))

/** The text repeats them without end. */
const PERIOD = WORDS.join('')

/**
 * Words of all choices of a response together; `usage` has no such bound. Otherwise a small request could produce a
 * response of any size, and one of 65,536 words in 128 choices blocks the event loop for 76 ms.
 */
const MAX_WORDS = 16_384

/** `count` words of the text of one of `choices`, starting at word `from`; fewer at the end of its share of `MAX_WORDS`. */
const simulatedText = (from: number, count: number, choices: number): string => {
  const share = Math.floor(MAX_WORDS / choices)
  const end = Math.min(from + count, share)
  if (end <= from) return ''
  const periods = Math.floor(from / WORDS.length)
  const first = from - periods * WORDS.length
  const last = end - periods * WORDS.length
  const text = PERIOD.repeat(Math.ceil(last / WORDS.length)).slice(lengthOf(first), lengthOf(last))
  return from === 0 ? text.trimStart() : text
}

/** Characters of the first words of the text, by their number. */
const LENGTHS = Array.from({ length: WORDS.length }, (_, words) => WORDS.slice(0, words).join('').length)

/** The same for any number of words. */
const lengthOf = (words: number): number => {
  const whole = Math.floor(words / WORDS.length)
  return whole * PERIOD.length + (LENGTHS[words - whole * WORDS.length] ?? 0)
}
