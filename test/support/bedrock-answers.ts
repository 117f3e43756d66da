import type { ServerResponse } from 'node:http'

type Body = Readonly<Record<string, unknown>>

const WORDS = ['Hello', ' from', ' Bedrock', '.']

const TEXT = WORDS.join('')

const INPUT = 12

const OUTPUT = WORDS.length

/** Answers of Bedrock's compatible paths, whole and streamed. */
export const bedrockAnswer = (path: string, body: Body, response: ServerResponse): void => {
  const answer = ANSWERS[path]
  if (answer === undefined) {
    sendJson(response, 404, { message: `There is no path ${path}` })
    return
  }
  const model = String(body.model)
  const isClaude = /(^|\.)anthropic\./.test(model)
  if (isClaude !== path.startsWith('/anthropic/')) {
    sendJson(response, 400, {
      error: {
        message: `The model '${model}' does not support the '${path}' API`,
        type: 'invalid_request_error',
        param: 'model',
        code: 'validation_error',
      },
    })
  } else if (body.stream === true) sendEvents(response, answer.events(model, body))
  else sendJson(response, 200, answer.whole(model))
}

const sendEvents = (response: ServerResponse, events: readonly string[]): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-amzn-requestid': 'bedrock-1' })
  for (const event of events) response.write(event)
  response.end()
}

const sendJson = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-requestid': 'bedrock-1' })
  response.end(JSON.stringify(body))
}

interface Answer {
  whole(model: string): object
  events(model: string, body: Body): readonly string[]
}

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`

const named = (value: { readonly type: string; readonly [field: string]: unknown }): string =>
  `event: ${value.type}\n${data(value)}`

const chatUsage = { prompt_tokens: INPUT, completion_tokens: OUTPUT, total_tokens: INPUT + OUTPUT }

const chat: Answer = {
  whole: (model) => ({
    id: 'chatcmpl-bedrock',
    object: 'chat.completion',
    created: 1_767_225_600,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' }],
    usage: chatUsage,
  }),
  events(model, { stream_options: options }) {
    const chunk = (rest: object) =>
      data({
        id: 'chatcmpl-bedrock',
        object: 'chat.completion.chunk',
        created: 1_767_225_600,
        model,
        ...rest,
      })
    const choice = (delta: object, finish_reason: string | null = null) =>
      chunk({ choices: [{ index: 0, delta, finish_reason }] })
    const asksForUsage = typeof options === 'object' && options !== null && 'include_usage' in options
    return [
      choice({ role: 'assistant', content: '' }),
      ...WORDS.map((content) => choice({ content })),
      choice({}, 'stop'),
      ...(asksForUsage ? [chunk({ choices: [], usage: chatUsage })] : []),
      'data: [DONE]\n\n',
    ]
  },
}

const responseOf = (model: string, status: string, rest: object = {}) => ({
  id: 'resp_bedrock',
  object: 'response',
  created_at: 1_767_225_600,
  status,
  model,
  error: null,
  output: [],
  ...rest,
})

const completed = (model: string) =>
  responseOf(model, 'completed', {
    output: [
      {
        type: 'message',
        id: 'msg_bedrock',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: TEXT, annotations: [] }],
      },
    ],
    usage: { input_tokens: INPUT, output_tokens: OUTPUT, total_tokens: INPUT + OUTPUT },
  })

const responses: Answer = {
  whole: completed,
  events: (model) => [
    named({ type: 'response.created', sequence_number: 0, response: responseOf(model, 'in_progress') }),
    ...WORDS.map((delta, at) =>
      named({
        type: 'response.output_text.delta',
        sequence_number: at + 1,
        item_id: 'msg_bedrock',
        output_index: 0,
        content_index: 0,
        delta,
      }),
    ),
    named({ type: 'response.completed', sequence_number: OUTPUT + 1, response: completed(model) }),
  ],
}

const messageOf = (model: string, rest: object) => ({
  id: 'msg_bedrock',
  type: 'message',
  role: 'assistant',
  model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: INPUT, output_tokens: 1 },
  ...rest,
})

const messages: Answer = {
  whole: (model) =>
    messageOf(model, {
      content: [{ type: 'text', text: TEXT }],
      stop_reason: 'end_turn',
      usage: { input_tokens: INPUT, output_tokens: OUTPUT },
    }),
  events: (model) => [
    named({ type: 'message_start', message: messageOf(model, {}) }),
    named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    named({ type: 'ping' }),
    ...WORDS.map((text) =>
      named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    ),
    named({ type: 'content_block_stop', index: 0 }),
    named({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: OUTPUT },
    }),
    named({ type: 'message_stop' }),
  ],
}

const ANSWERS: Readonly<Record<string, Answer>> = {
  '/openai/v1/chat/completions': chat,
  // as on bedrock-mantle
  '/v1/chat/completions': chat,
  '/openai/v1/responses': responses,
  '/anthropic/v1/messages': messages,
}
