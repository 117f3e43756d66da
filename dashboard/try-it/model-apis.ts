/** What the form says about the content of a request. */
export interface RequestContent {
  readonly model: string
  readonly prompt: string
  /** The maximum of output tokens; undefined to leave it out. */
  readonly maximum: number | undefined
}

/** The body of a request: JSON. */
export type RequestBody = Readonly<Record<string, unknown>> & { readonly stream?: true }

/** The tokens that an upstream reports. */
export interface TokenUsage {
  readonly prompt: number
  readonly completion: number
}

/** The part of a response, or of an event of a stream, that is worth showing. */
export interface Reading {
  /** Visible output, to be appended to that of earlier events. */
  readonly text?: string
  readonly usage?: Partial<TokenUsage>
}

/** An API of models, as this view sends and reads it. */
interface ModelApiForm {
  readonly name: string
  /** Relative to the document. */
  readonly path: string
  /** The label of the prompt. */
  readonly prompt: string
  /** The field of the maximum of output tokens; undefined if the API has none. */
  readonly maximumField?: 'max_tokens' | 'max_output_tokens'
  /** The fields that request a stream; undefined if the API has none. */
  readonly streamFields?: { readonly stream: true; readonly [field: string]: unknown }
  /** The fields that contain the prompt. */
  promptFields(prompt: string): Readonly<Record<string, unknown>>
  readWhole(response: Fields): Reading
  readEvent(event: Fields): Reading
}

type Fields = Readonly<Record<string, unknown>>

/** The fields of an object; none of any other value. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {}

const messages = (content: string) => ({ messages: [{ role: 'user', content }] })

const WITH_USAGE = { stream: true, stream_options: { include_usage: true } } as const

/** In the order of the list box. */
const API_NAMES = ['chat', 'completions', 'embeddings', 'responses', 'messages', 'count_tokens'] as const

export type ModelApi = (typeof API_NAMES)[number]

/** Every route to a model. */
export const MODEL_APIS: Readonly<Record<ModelApi, ModelApiForm>> = {
  chat: {
    name: 'Chat completions',
    path: 'v1/chat/completions',
    prompt: 'Message',
    maximumField: 'max_tokens',
    streamFields: WITH_USAGE,
    promptFields: messages,
    readWhole: (response) => ({
      text: textOf(fieldsOf(firstOf(response.choices).message).content),
      usage: openAiUsage(response.usage),
    }),
    readEvent: (event) => ({
      text: textOf(fieldsOf(firstOf(event.choices).delta).content),
      usage: openAiUsage(event.usage),
    }),
  },
  completions: {
    name: 'Completions',
    path: 'v1/completions',
    prompt: 'Prompt',
    maximumField: 'max_tokens',
    streamFields: WITH_USAGE,
    promptFields: (prompt) => ({ prompt }),
    readWhole: (response) => readCompletion(response),
    readEvent: (event) => readCompletion(event),
  },
  embeddings: {
    name: 'Embeddings',
    path: 'v1/embeddings',
    prompt: 'Input',
    promptFields: (input) => ({ input }),
    readWhole: (response) => ({ text: embeddingText(response.data), usage: openAiUsage(response.usage) }),
    readEvent: () => ({}),
  },
  responses: {
    name: 'Responses',
    path: 'v1/responses',
    prompt: 'Input',
    maximumField: 'max_output_tokens',
    streamFields: { stream: true },
    promptFields: (input) => ({ input }),
    readWhole: (response) => ({ text: outputText(response.output), usage: namedUsage(response.usage) }),
    readEvent: (event) => ({
      text: event.type === 'response.output_text.delta' ? textOf(event.delta) : '',
      usage: namedUsage(fieldsOf(event.response).usage),
    }),
  },
  messages: {
    name: 'Messages',
    path: 'v1/messages',
    prompt: 'Message',
    maximumField: 'max_tokens',
    streamFields: { stream: true },
    promptFields: messages,
    readWhole: (response) => ({ text: contentText(response.content), usage: namedUsage(response.usage) }),
    readEvent: (event) => ({
      text: event.type === 'content_block_delta' ? textOf(fieldsOf(event.delta).text) : '',
      usage: namedUsage(event.usage ?? fieldsOf(event.message).usage),
    }),
  },
  count_tokens: {
    name: 'Count tokens',
    path: 'v1/messages/count_tokens',
    prompt: 'Message',
    promptFields: messages,
    readWhole: ({ input_tokens: tokens }) => ({
      text: typeof tokens === 'number' ? `${tokens} input ${tokens === 1 ? 'token' : 'tokens'}` : '',
    }),
    readEvent: () => ({}),
  },
}

/** The choices of the list box: `['chat', 'Chat completions']`. */
export const MODEL_API_OPTIONS = API_NAMES.map((api) => [api, MODEL_APIS[api].name] as const)

/** The body that describes `content` in an API. */
export const bodyOf = (api: ModelApi, content: RequestContent, streams: boolean): RequestBody => {
  const { maximumField, streamFields, promptFields } = MODEL_APIS[api]
  const { model, prompt, maximum } = content
  return {
    model,
    ...(maximumField && maximum !== undefined && { [maximumField]: maximum }),
    ...promptFields(prompt),
    ...(streams && streamFields),
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const firstOf = (list: unknown): Fields => fieldsOf(listOf(list)[0])

const readCompletion = ({ choices, usage }: Fields): Reading => ({
  text: textOf(firstOf(choices).text),
  usage: openAiUsage(usage),
})

/** The text of the content of Anthropic's message or of an item of a response. */
const contentText = (content: unknown): string =>
  listOf(content)
    .map((part) => textOf(fieldsOf(part).text))
    .join('')

const outputText = (output: unknown): string =>
  listOf(output)
    .map((item) => contentText(fieldsOf(item).content))
    .join('')

/** `2 embeddings of 1,536 numbers` */
const embeddingText = (data: unknown): string => {
  const list = listOf(data)
  const { embedding } = firstOf(data)
  const size = Array.isArray(embedding) ? ` of ${embedding.length.toLocaleString('en-US')} numbers` : ''
  return list.length === 0 ? '' : `${list.length} ${list.length === 1 ? 'embedding' : 'embeddings'}${size}`
}

const numberIn = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

/** A response of embeddings has no completion tokens. */
const openAiUsage = (usage: unknown): Partial<TokenUsage> => {
  const { prompt_tokens, completion_tokens } = fieldsOf(usage)
  return partialUsage(numberIn(prompt_tokens), numberIn(completion_tokens))
}

/** The usage of responses, and of messages, whose input excludes what caches contain. */
const namedUsage = (usage: unknown): Partial<TokenUsage> => {
  const { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens } =
    fieldsOf(usage)
  const input = numberIn(input_tokens)
  const cached = (numberIn(cache_creation_input_tokens) ?? 0) + (numberIn(cache_read_input_tokens) ?? 0)
  return partialUsage(input === undefined ? undefined : input + cached, numberIn(output_tokens))
}

const partialUsage = (prompt: number | undefined, completion: number | undefined): Partial<TokenUsage> => ({
  ...(prompt !== undefined && { prompt }),
  ...(completion !== undefined && { completion }),
})
