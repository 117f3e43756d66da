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

const CREATED = 1_790_000_000

const WORDS = ['Hello', ' from', ' the', ' upstream', '.']

const PROMPT_TOKENS = 12

const OUTPUT_TOKENS = 5

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`

/** The pieces of text that a response consists of; undefined: it calls a tool. */
const textOf = (body: Json, isStructured: boolean): readonly string[] | undefined => {
  if (isStructured) return [STRUCTURED.slice(0, 9), STRUCTURED.slice(9)]
  if (firstToolOf(body) !== undefined && !hasToolResult(body)) return undefined
  if (hasImage(body)) return ['Hello', ', I see an image.']
  return WORDS
}

const isStructuredChat = ({ response_format: format }: Json): boolean =>
  isObject(format) && format.type !== 'text'

const chatUsage = {
  prompt_tokens: PROMPT_TOKENS,
  completion_tokens: OUTPUT_TOKENS,
  total_tokens: PROMPT_TOKENS + OUTPUT_TOKENS,
  prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
}

const chatBase = (body: Json, object: string) => ({
  id: 'chatcmpl-compatibility',
  object,
  created: CREATED,
  model: body.model,
  service_tier: 'default',
  system_fingerprint: 'fp_1',
})

export const chatCompletions: ProviderRoute = {
  whole(body) {
    const text = textOf(body, isStructuredChat(body))
    const call = { name: firstToolOf(body), arguments: argumentsOf(body).join('') }
    const message =
      text === undefined
        ? { content: null, tool_calls: [{ id: 'call_1', type: 'function', function: call }] }
        : { content: text.join('') }
    return {
      ...chatBase(body, 'chat.completion'),
      choices: [
        {
          index: 0,
          message: { role: 'assistant', refusal: null, annotations: [], ...message },
          logprobs: null,
          finish_reason: text === undefined ? 'tool_calls' : 'stop',
        },
      ],
      usage: chatUsage,
    }
  },
  events(body) {
    const { stream_options: options } = body
    const asksForUsage = isObject(options) && options.include_usage === true
    const chunk = (rest: object) =>
      data({
        ...chatBase(body, 'chat.completion.chunk'),
        ...(asksForUsage && { usage: null }),
        ...rest,
      })
    const choice = (delta: object, finish_reason: string | null = null) =>
      chunk({ choices: [{ index: 0, delta, logprobs: null, finish_reason }] })
    const text = textOf(body, isStructuredChat(body))
    return [
      choice({ role: 'assistant', content: text === undefined ? null : '', refusal: null }),
      ...(text?.map((content) => choice({ content })) ?? toolDeltas(body).map((delta) => choice(delta))),
      choice({}, text === undefined ? 'tool_calls' : 'stop'),
      ...(asksForUsage ? [chunk({ choices: [], usage: chatUsage })] : []),
      'data: [DONE]\n\n',
    ]
  },
}

const toolDeltas = (body: Json): readonly object[] => [
  {
    tool_calls: [
      { index: 0, id: 'call_1', type: 'function', function: { name: firstToolOf(body), arguments: '' } },
    ],
  },
  ...argumentsOf(body).map((part) => ({ tool_calls: [{ index: 0, function: { arguments: part } }] })),
]

const VECTOR = [0.25, -0.5, 0.75, 1]

export const embeddings: ProviderRoute = {
  whole(body) {
    const inputs = Array.isArray(body.input) && typeof body.input[0] !== 'number' ? body.input : [body.input]
    const isBase64 = body.encoding_format === 'base64'
    const embedding = isBase64 ? Buffer.from(new Float32Array(VECTOR).buffer).toString('base64') : VECTOR
    return {
      object: 'list',
      data: inputs.map((_, index) => ({ object: 'embedding', index, embedding })),
      model: body.model,
      usage: { prompt_tokens: PROMPT_TOKENS, total_tokens: PROMPT_TOKENS },
    }
  },
}

const isStructuredResponse = ({ text }: Json): boolean =>
  isObject(text) && isObject(text.format) && text.format.type !== 'text'

const responseOf = (body: Json, status: string, output: readonly object[]) => ({
  id: 'resp_compatibility',
  object: 'response',
  created_at: CREATED,
  status,
  background: false,
  error: null,
  incomplete_details: null,
  instructions: body.instructions ?? null,
  max_output_tokens: body.max_output_tokens ?? null,
  model: body.model,
  output,
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  service_tier: 'default',
  store: body.store ?? true,
  temperature: 1,
  text: body.text ?? { format: { type: 'text' } },
  tool_choice: body.tool_choice ?? 'auto',
  tools: body.tools ?? [],
  top_p: 1,
  truncation: 'disabled',
  usage:
    status === 'completed'
      ? {
          input_tokens: PROMPT_TOKENS,
          input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
          output_tokens: OUTPUT_TOKENS,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: PROMPT_TOKENS + OUTPUT_TOKENS,
        }
      : null,
  user: null,
  metadata: {},
})

const ITEM = { item_id: 'item_1', output_index: 0 }

const outputItem = (body: Json, status: string): Json => {
  const text = textOf(body, isStructuredResponse(body))
  const isDone = status === 'completed'
  if (text === undefined) {
    const parts = { id: 'item_1', call_id: 'call_1', name: firstToolOf(body), status }
    return { type: 'function_call', ...parts, arguments: isDone ? argumentsOf(body).join('') : '' }
  }
  const content = isDone ? [outputText(text.join(''))] : []
  return { type: 'message', id: 'item_1', role: 'assistant', status, content }
}

const outputText = (text: string) => ({ type: 'output_text', text, annotations: [], logprobs: [] })

type ResponseEvent = { readonly type: string } & Json

const contentEvents = (body: Json): readonly ResponseEvent[] => {
  const text = textOf(body, isStructuredResponse(body))
  if (text === undefined) {
    const name = 'response.function_call_arguments'
    return [
      ...argumentsOf(body).map((delta) => ({ type: `${name}.delta`, ...ITEM, delta })),
      { type: `${name}.done`, ...ITEM, name: firstToolOf(body), arguments: argumentsOf(body).join('') },
    ]
  }
  const place = { ...ITEM, content_index: 0 }
  return [
    { type: 'response.content_part.added', ...place, part: outputText('') },
    ...text.map((delta) => ({ type: 'response.output_text.delta', ...place, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...place, text: text.join(''), logprobs: [] },
    { type: 'response.content_part.done', ...place, part: outputText(text.join('')) },
  ]
}

export const responses: ProviderRoute = {
  whole: (body) => responseOf(body, 'completed', [outputItem(body, 'completed')]),
  events(body) {
    const events: readonly ResponseEvent[] = [
      { type: 'response.created', response: responseOf(body, 'in_progress', []) },
      { type: 'response.in_progress', response: responseOf(body, 'in_progress', []) },
      { type: 'response.output_item.added', output_index: 0, item: outputItem(body, 'in_progress') },
      ...contentEvents(body),
      { type: 'response.output_item.done', output_index: 0, item: outputItem(body, 'completed') },
      {
        type: 'response.completed',
        response: responseOf(body, 'completed', [outputItem(body, 'completed')]),
      },
    ]
    return events.map((event, index) => `event: ${event.type}\n${data({ ...event, sequence_number: index })}`)
  },
}
