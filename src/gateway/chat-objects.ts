import type { JsonObject } from '../core/model/json.ts'
import type { AbortSignalLike, ChatUsage } from '../core/ports/chat-backend.ts'
import { isObject } from './json-values.ts'

/** `usage` as OpenAI writes it, of a model that caches nothing. */
export const usageJson = ({ promptTokens, completionTokens }: ChatUsage): JsonObject => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
})

/** Reads OpenAI's `usage`; undefined if it is not complete. */
export const parseUsage = (usage: unknown): ChatUsage | undefined => {
  if (!isObject(usage)) return undefined
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = usage
  if (!isCount(promptTokens) || !isCount(completionTokens)) return undefined
  const cached = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details.cached_tokens : undefined
  return {
    promptTokens,
    completionTokens,
    ...(isCount(cached) && { cachedPromptTokens: Math.min(cached, promptTokens) }),
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/** Waits `ms`. Rejects at once if `signal` is or becomes aborted. */
export type Delay = (ms: number, signal: AbortSignalLike) => Promise<void>

export const abortError = (): Error => new DOMException('The request was aborted', 'AbortError')

export const timerDelay: Delay = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortError())
    const stop = () => {
      clearTimeout(timer)
      reject(abortError())
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
