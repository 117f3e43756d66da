import {
  argumentsOf,
  firstToolOf,
  hasImage,
  hasToolResult,
  isObject,
  type Json,
  type ProviderRoute,
  STRUCTURED,
} from './provider-requests.ts'

const WORDS = ['Hello', ' from', ' the', ' upstream', '.']

const INPUT = { input_tokens: 8, cache_creation_input_tokens: 0, cache_read_input_tokens: 4 }

/** The pieces of text that a message consists of; undefined: it calls a tool. */
const textOf = (body: Json): readonly string[] | undefined => {
  const { output_config: config, output_format: format } = body
  if (isObject(format) || (isObject(config) && isObject(config.format)))
    return [STRUCTURED.slice(0, 9), STRUCTURED.slice(9)]
  if (firstToolOf(body) !== undefined && !hasToolResult(body)) return undefined
  if (hasImage(body)) return ['Hello', ', I see an image.']
  return WORDS
}

const messageOf = (body: Json, rest: object) => ({
  id: 'msg_compatibility',
  type: 'message',
  role: 'assistant',
  model: body.model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { ...INPUT, output_tokens: 1, service_tier: 'standard' },
  ...rest,
})

const toolUse = (body: Json, input: unknown) => ({
  type: 'tool_use',
  id: 'toolu_1',
  name: firstToolOf(body),
  input,
})

const named = (value: { readonly type: string } & Json): string =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`

export const messages: ProviderRoute = {
  whole(body) {
    const text = textOf(body)
    const content =
      text === undefined
        ? toolUse(body, JSON.parse(argumentsOf(body).join('')))
        : { type: 'text', text: text.join('') }
    return messageOf(body, {
      content: [content],
      stop_reason: text === undefined ? 'tool_use' : 'end_turn',
      usage: { ...INPUT, output_tokens: 5, service_tier: 'standard' },
    })
  },
  events(body) {
    const text = textOf(body)
    const deltas =
      text?.map((part) => ({ type: 'text_delta', text: part })) ??
      argumentsOf(body).map((part) => ({ type: 'input_json_delta', partial_json: part }))
    const block = text === undefined ? toolUse(body, {}) : { type: 'text', text: '' }
    return [
      named({ type: 'message_start', message: messageOf(body, {}) }),
      named({ type: 'content_block_start', index: 0, content_block: block }),
      named({ type: 'ping' }),
      ...deltas.map((delta) => named({ type: 'content_block_delta', index: 0, delta })),
      named({ type: 'content_block_stop', index: 0 }),
      named({
        type: 'message_delta',
        delta: { stop_reason: text === undefined ? 'tool_use' : 'end_turn', stop_sequence: null },
        usage: { ...INPUT, output_tokens: 5 },
      }),
      named({ type: 'message_stop' }),
    ]
  },
}

export const countTokens: ProviderRoute = { whole: () => ({ input_tokens: 12 }) }
