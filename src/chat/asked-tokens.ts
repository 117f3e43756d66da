import type { ChatRequest } from '../core/ports/chat-backend.ts'

/** Keeps sums exact: `max_output_tokens` is not checked, and may be any number. */
const MAX_TOKENS = 1_000_000_000

/** Completion tokens that the simulated model answers in each choice: OpenAI prefers the newer name. */
export const tokensPerChoice = (request: ChatRequest, byDefault: number): number =>
  request.max_completion_tokens ?? request.max_tokens ?? byDefault

/**
 * The most completion tokens over all choices: the largest bound that `request` names, as upstreams differ in which one they
 * obey. `byDefault` for each choice where it names none.
 */
export const mostTokens = (request: ChatRequest, byDefault: number): number => {
  const { max_tokens, max_completion_tokens, max_output_tokens } = request
  const named = [max_tokens, max_completion_tokens, max_output_tokens].filter(isBound)
  const perChoice = named.length === 0 ? byDefault : Math.min(Math.max(...named), MAX_TOKENS)
  return perChoice * choicesOf(request)
}

export const choicesOf = (request: ChatRequest): number => request.n ?? 1

/** `max_output_tokens` is not a field of chats, and passes unchecked. */
const isBound = (value: unknown): value is number =>
  typeof value === 'number' && value >= 1 && Number.isInteger(value)
