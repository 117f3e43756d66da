import type { ChatBackend, TokenCounter } from '../core/ports/chat-backend.ts'
import type { Clock, Logger } from '../core/ports/platform.ts'
import { timerDelay } from './chat-objects.ts'
import { createSimulatedModel } from './simulated-model.ts'
import { createOpenAiUpstream } from './upstream/openai-upstream.ts'

export interface ChatBackendSettings {
  /** `UPSTREAM_BASE_URL`; null: the simulated model. */
  readonly upstreamBaseUrl: string | null
  /** `UPSTREAM_API_KEY`; null: the upstream requires none. */
  readonly upstreamApiKey: string | null
  /** `SIMULATED_LATENCY_MS` */
  readonly simulatedLatencyMs: number
  readonly nodeId: string | null
}

/** A large model can take this long until its response begins. */
const UPSTREAM_SILENCE_MS = 120_000

/** Creates the chat backend that the settings name. */
export const createChatBackend = (
  parts: { readonly clock: Clock; readonly tokens: TokenCounter; readonly logger: Logger },
  settings: ChatBackendSettings,
): ChatBackend => {
  const { upstreamBaseUrl, upstreamApiKey, simulatedLatencyMs, nodeId } = settings
  if (upstreamBaseUrl === null) {
    return createSimulatedModel({
      clock: parts.clock,
      delay: timerDelay,
      latencyMs: simulatedLatencyMs,
      nodeId,
    })
  }
  return createOpenAiUpstream({
    baseUrl: upstreamBaseUrl,
    apiKey: upstreamApiKey,
    tokens: parts.tokens,
    logger: parts.logger,
    silenceMs: UPSTREAM_SILENCE_MS,
  })
}
