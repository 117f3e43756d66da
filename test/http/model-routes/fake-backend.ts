import type {
  LongPrompt,
  ModelBackend,
  ModelCall,
  ModelCharge,
  ModelEvents,
  ModelProblem,
  ModelReply,
} from '../../../src/core/ports/model-backend.ts'

export interface FakeBackend extends ModelBackend {
  /** The calls that it received, oldest first. */
  readonly calls: ModelCall[]
}

interface FakeOptions {
  /** Tokens of every prompt. */
  readonly inputTokens?: number
  readonly defaultOutputTokens?: number | null
  /** A lower bound of the tokens of every prompt, which is long. */
  readonly leastTokens?: number
  /** Counts it. */
  readonly count?: LongPrompt['count']
  readonly call?: ModelBackend['call']
  readonly paceOf?: ModelBackend['paceOf']
}

export const PROMPT_TOKENS = 13

/** A backend that counts and generates what it is told to; by default, as many tokens as the request names, else 16. */
export const fakeBackend = (options: FakeOptions = {}): FakeBackend => {
  const { inputTokens = PROMPT_TOKENS, defaultOutputTokens = 16, call = generated, leastTokens } = options
  const calls: ModelCall[] = []
  return {
    calls,
    paceOf: options.paceOf ?? (() => undefined),
    async estimate({ body }) {
      const estimate = (tokens: number) => ({
        inputTokens: tokens,
        namedOutputTokens: named(body),
        choices: 1,
        defaultOutputTokens,
      })
      const counted = estimate(inputTokens)
      if (leastTokens === undefined) return counted
      return { least: estimate(leastTokens), count: options.count ?? (async () => counted) }
    },
    async call(received) {
      calls.push(received)
      return call(received)
    },
  }
}

const named = (body: Readonly<Record<string, unknown>>): number | null => {
  const maxima = [body.max_tokens, body.max_completion_tokens].filter((value) => typeof value === 'number')
  return maxima.length === 0 ? null : Math.max(...maxima)
}

const generated = async (call: ModelCall): Promise<ModelReply> => {
  const outputTokens = named(call.body) ?? 16
  const charge = usageCharge(call.inputTokens, outputTokens)
  if (call.body.stream === true) return streamed(eventsOf([...'abc'], charge))
  return whole({ id: 'c1', model: call.model.id, usage: { completion_tokens: outputTokens } }, charge)
}

export const usageCharge = (inputTokens: number, outputTokens: number): ModelCharge => ({
  of: 'usage',
  usage: { inputTokens, outputTokens },
})

export const whole = (
  body: object,
  charge: ModelCharge,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): ModelReply => ({
  kind: 'whole',
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
  charge,
})

export const failed = (problem: Partial<ModelProblem>, charge: ModelCharge): ModelReply => ({
  kind: 'failed',
  problem: { status: 502, message: 'It failed', code: null, type: null, param: null, ...problem },
  headers: {},
  charge,
})

export const streamed = (events: ModelEvents): ModelReply => ({
  kind: 'stream',
  status: 200,
  headers: { 'x-zael-upstream': 'fake' },
  events,
})

export interface FakeEvents extends ModelEvents {
  readonly isCancelled: () => boolean
}

/** Sends each piece as an event, and `[DONE]`; then the charge is `charge`, and before, `cancelled`. */
export const eventsOf = (
  pieces: readonly string[],
  charge: ModelCharge,
  cancelled: ModelCharge = { of: 'estimate' },
): FakeEvents => {
  const left = [...pieces.map((piece) => `data: {"piece":"${piece}"}\n\n`), 'data: [DONE]\n\n']
  let isCancelled = false
  return {
    isCancelled: () => isCancelled,
    next: async () => (isCancelled ? undefined : left.shift()),
    hasEnded: () => left.length === 0,
    cancel() {
      isCancelled = true
    },
    charge: async () => (left.length === 0 ? charge : cancelled),
  }
}
