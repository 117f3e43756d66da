/** What an answer used, as OpenAI counts it. */
export interface ChatUsage {
  readonly promptTokens: number
  readonly completionTokens: number
  /** The part of `promptTokens` that the upstream had at hand, where it says so. */
  readonly cachedPromptTokens?: number
}

/** An OpenAI chat request: known fields are typed, unknown ones pass through. */
export interface ChatRequest {
  readonly model: string
  readonly messages: readonly unknown[]
  readonly max_tokens?: number | null | undefined
  readonly max_completion_tokens?: number | null | undefined
  readonly n?: number | null | undefined
  readonly stream?: boolean | null | undefined
  readonly stream_options?: { readonly include_usage?: boolean | null | undefined } | null | undefined
  readonly [field: string]: unknown
}

/** A whole answer, or the upstream's error with its status, both in OpenAI's JSON; `usage` is undefined where nothing was counted. */
export interface ChatAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly usage: ChatUsage | undefined
  /** Headers that the caller should see as well (`retry-after` of an upstream). */
  readonly headers?: Readonly<Record<string, string>>
}

/** A streamed answer: chunks are OpenAI's `chat.completion.chunk` objects, without the closing `[DONE]`. */
export interface ChatStream {
  readonly chunks: AsyncIterable<Readonly<Record<string, unknown>>>
  /** What was counted up to now; final once `chunks` has ended. An aborted stream is settled from it. */
  usage(): ChatUsage
}

export interface ChatCall {
  readonly request: ChatRequest
  readonly promptTokens: number
  readonly requestId: string
  /** Aborts where nothing more is wanted. Perhaps made when first looked at: who does not need it leaves it alone. */
  readonly signal: AbortSignalLike
}

/** The part of the platform's AbortSignal that is relied on; the core knows no platform. */
export interface AbortSignalLike {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/**
 * Who answers chats: the simulated model, or an OpenAI-compatible upstream. A failure is an answer with its status
 * (502, 504); only an abort of `signal` makes the promises, and the iteration of `chunks`, reject.
 */
export interface ChatBackend {
  /** The most completion tokens that the answer to `request` may hold, over all its choices: what is reserved. */
  mostCompletionTokens(request: ChatRequest): number
  complete(call: ChatCall): Promise<ChatAnswer>
  /** An upstream that refuses before the first chunk answers with its error instead. */
  stream(call: ChatCall): Promise<ChatStream | ChatAnswer>
}

/** Counts tokens as the model would. Tables load at the first call. */
export interface TokenCounter {
  /** What `request` costs as input: messages, names, tools, and what OpenAI adds to each. */
  countPrompt(request: ChatRequest): Promise<number>
  countText(text: string): Promise<number>
}
