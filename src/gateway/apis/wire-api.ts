import type { JsonObject } from '../../core/model/json.ts'
import type { ServiceTier } from '../../core/model/prices.ts'
import type { UpstreamKind } from '../../core/model/upstream.ts'
import type { ModelApi, ModelProblem, ModelUsage } from '../../core/ports/model-backend.ts'
import type { PromptSink } from '../prompt/collected-prompt.ts'

/** What the gateway must know of an API: one file for each. */
export interface WireApi {
  readonly name: ModelApi
  /** The path below the base URL of an upstream; a kind that has no such route is absent. */
  readonly paths: Readonly<Partial<Record<UpstreamKind, string>>>
  /** Passes on all that an upstream counts as input. Takes time per part, not per character. */
  readPrompt(body: JsonObject, prompt: PromptSink): void
  /** Responses that the body asks for; 0 if the API generates no output. */
  choices(body: JsonObject): number
  /** The body that an upstream receives. */
  upstreamBody(body: JsonObject, changes: BodyChanges): JsonObject
  /** The usage that a whole response reports, if it is complete; undefined also where it is zero beside output. */
  usageOf(response: JsonObject): ModelUsage | undefined
  /** All that the model wrote in a whole response. */
  textOf(response: JsonObject): string
  createStreamReader(body: JsonObject): StreamReader
}

export interface BodyChanges {
  /** The model's name at the upstream. */
  readonly model: string
  /** The bound of each choice's output, if the body names none; null: it does, or the API has none. */
  readonly outputBound: number | null
  /** An upstream may refuse these; then the request is sent once more without them. */
  readonly accepts: FieldSupport
}

/** Which fields an upstream accepts. All: true until it has refused one. */
export interface FieldSupport {
  /** `stream_options` on chat and completions. */
  readonly streamOptions: boolean
  /** `max_completion_tokens` on chat; false: `max_tokens` is sent. */
  readonly maxCompletionTokens: boolean
}

/** An event of an upstream's stream: its name (`event:`) and its data. */
export interface StreamEvent {
  readonly name: string | undefined
  readonly data: string
}

/** What a price depends on beside the tokens. */
export interface Served {
  /** Undefined: the upstream has not reported it. */
  readonly tier: ServiceTier | undefined
  readonly images: number
}

/** The input of a response whose output is not reported. */
export type InputUsage = Omit<ModelUsage, 'outputTokens' | 'responseId'>

/** Reads the events of one stream. An event that it cannot parse is sent, and not counted. */
export interface StreamReader {
  /** `send`: as it is; `drop`: the client did not ask for it; `end`: it ends the stream, and `ending` takes its place. */
  read(event: StreamEvent): 'send' | 'drop' | 'end'
  /** The error that the last event contained, if it was one. */
  failure(): ModelProblem | undefined
  /** Whether the response is whole: every choice has a finish reason, or the last event of the API was read. */
  isComplete(): boolean
  /** Whether a client has something to show: text, a refusal, a tool call, reasoning. */
  hasOutput(): boolean
  /** The usage that was reported last, unless it is zero, or has no output although there was some. */
  usage(): ModelUsage | undefined
  /** The reported input where `usage` is undefined: Anthropic's streams begin with it. The output is to be counted. */
  inputUsage(): InputUsage | undefined
  /** The tier that serves the response and the images in it so far; only of APIs whose usage is reported at the end. */
  served?(): Served
  /** Text of the model since the last call. */
  takeText(): string
  /** The number of the next event; only of APIs whose events are numbered. */
  nextNumber?(): number
  /** The bytes that end every complete stream: `data: [DONE]` on chat and completions; empty elsewhere. */
  readonly ending: string
}
