import type { JsonObject } from '../model/json.ts'
import type { Model } from '../model/model.ts'
import type { CacheWrites, ServiceTier } from '../model/prices.ts'
import type { Eventual } from './when-ready.ts'

/** The APIs of model routes, which differ in requests, responses, usage and errors. */
export const MODEL_APIS = [
  'chat',
  'completions',
  'embeddings',
  'responses',
  'messages',
  'count_tokens',
] as const

export type ModelApi = (typeof MODEL_APIS)[number]

/** The tokens of a response. */
export interface ModelUsage {
  /** All tokens of the prompt, those in a cache included. */
  readonly inputTokens: number
  readonly outputTokens: number
  /** The part of `inputTokens` that the upstream read from its cache, if it reports it. */
  readonly cachedInputTokens?: number
  /** The part of `inputTokens` that the upstream wrote to its cache, if it reports it. */
  readonly cacheWriteTokens?: number
  /** The part of `cacheWriteTokens` that it wrote for an hour, if it reports it. */
  readonly cacheWrite1hTokens?: number
  /** Images in the response; absent: none. */
  readonly images?: number
  /** Seconds of audio in the prompt, if the upstream reports them. */
  readonly audioSeconds?: number
  /** The tier that served the request, if the upstream reports it. */
  readonly serviceTier?: ServiceTier
  /** The id by which a later request continues this response; only of `/v1/responses`. */
  readonly responseId?: string
}

/** A request to a model. `body` is the caller's JSON, whose shape the route has checked. */
export interface ModelRequest {
  readonly api: ModelApi
  readonly model: Model
  readonly body: JsonObject
}

/** What a request may use at most, before limits and the model's own bound apply. */
export interface PromptEstimate {
  readonly inputTokens: number
  /** The largest maximum of output tokens that the request names, times its choices; null: it names none. */
  readonly namedOutputTokens: number | null
  /** How many responses it asks for; 0 if the API generates no output (embeddings, count_tokens). */
  readonly choices: number
  /** What the model generates per choice if no maximum is named; null: unknown. Only the simulated model knows it. */
  readonly defaultOutputTokens: number | null
  /** Absent: the model's prices and weights depend on tokens alone. */
  readonly billing?: RequestBilling
}

/** What the price of a request depends on, beside its tokens. */
export interface RequestBilling {
  readonly cacheWrites: CacheWrites
  /** The tiers of which one will serve it, the most likely one first; at least one. */
  readonly tiers: readonly ServiceTier[]
  readonly imagesSent: number
  /** Images that the response is to contain. */
  readonly imagesAsked: number
  /** Of the audio that it sends: an upper bound, by its size. */
  readonly audioSeconds: number
}

/** A prompt that takes longer to count than a decision takes. */
export interface LongPrompt {
  /** With a lower bound of the prompt's tokens, found in time that does not depend on what the texts contain. */
  readonly least: PromptEstimate
  /** Counts the prompt. */
  count(): Promise<PromptEstimate>
}

/** A request that is reserved and can be sent. */
export interface ModelCall extends ModelRequest {
  /** Whose request it is: an upstream rests only after failures of several entities. */
  readonly entityId: string
  readonly inputTokens: number
  /** The most output tokens per choice, to be sent to the upstream; null: the request names a maximum, or has no output. */
  readonly outputBound: number | null
  readonly requestId: string
  /** Headers of the request that pass to an upstream, by lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Aborts when the caller disconnects. May be created on first access: read it only if needed. */
  readonly signal: AbortSignalLike
}

/** The part of the platform's AbortSignal that zael uses: the core compiles without platform types. */
export interface AbortSignalLike {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** What a call is charged in the end. `estimate`: as reserved; `request`: the request without tokens. */
export type ModelCharge =
  | { readonly of: 'usage'; readonly usage: ModelUsage }
  | { readonly of: 'estimate' | 'request' | 'nothing' }

/** Lower-case names. */
export type ResponseHeaders = Readonly<Record<string, string>>

/** A whole response; also an upstream's error in the form of the API, which passes as it is. */
export interface WholeModelReply {
  readonly kind: 'whole'
  readonly status: number
  /** With `content-type`; without the length. */
  readonly headers: ResponseHeaders
  /** The bytes of the upstream, or JSON text. */
  readonly body: Uint8Array | string
  readonly charge: ModelCharge
}

/** A failure that is rendered in the form of the API. */
export interface FailedModelReply {
  readonly kind: 'failed'
  readonly problem: ModelProblem
  readonly headers: ResponseHeaders
  readonly charge: ModelCharge
}

/** A stream of events that has begun. */
export interface StreamedModelReply {
  readonly kind: 'stream'
  readonly status: number
  readonly headers: ResponseHeaders
  readonly events: ModelEvents
}

export type ModelReply = WholeModelReply | FailedModelReply | StreamedModelReply

/** The bytes of a stream as they are sent. */
export interface ModelEvents {
  /** The next bytes, whole events; undefined: the stream has ended. Never rejects: a failure is an event. */
  next(): Promise<Uint8Array | string | undefined>
  /** Whether nothing follows the bytes that `next` returned last: the charge is known before they are sent. */
  hasEnded(): boolean
  /** Ends the call at once: the reader has disconnected. */
  cancel(): void
  /** The charge, once `hasEnded` or `cancel` was called. Never rejects. */
  charge(): Promise<ModelCharge>
}

/** An error of a model route, before it takes the form of an API. */
export interface ModelProblem {
  readonly status: number
  readonly message: string
  /** `upstream_unavailable`, `upstream_timeout`, or the code that the upstream sent. */
  readonly code: string | null
  /** The type that the upstream sent; null: by the status. */
  readonly type: string | null
  readonly param: string | null
}

/** The share of their limits on a model that this process admits to callers, while the upstream is at its own limit. */
export interface Pace {
  /** Above 0 and below 1. */
  readonly factor: number
  /** ns until it is 1 again, if the upstream recovers now. */
  readonly recoveryNs: bigint
  /** When it fell below 1, by the monotonic clock: a later fall is another one. */
  readonly since: bigint
  /** To be called when a request is denied because of it. */
  onDenial(): void
}

/** Answers requests to models: from upstreams, or from the simulated model. */
export interface ModelBackend {
  /** Counts a short prompt. A long one is counted when its caller is not denied for its lower bound. */
  estimate(request: ModelRequest): Eventual<PromptEstimate | LongPrompt>
  /** The pace of an entity's requests to a model; undefined: only its limits apply. */
  paceOf(model: Model, entityId: string): Pace | undefined
  /** A promise rejects only with `CallAborted`, if the caller disconnects before a response begins. */
  call(call: ModelCall): Eventual<ModelReply>
}

/** The caller disconnected before a response began. */
export class CallAborted extends Error {
  readonly charge: ModelCharge

  constructor(charge: ModelCharge) {
    super('the caller disconnected')
    this.name = 'CallAborted'
    this.charge = charge
  }
}
