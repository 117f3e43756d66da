import type { ModelApi } from '../../core/ports/model-backend.ts'
import { chatApi } from './chat.ts'
import { completionsApi } from './completions.ts'
import { messagesApi } from './messages.ts'
import { responsesApi } from './responses.ts'
import type { WireApi } from './wire-api.ts'
import { countTokensApi, embeddingsApi } from './without-output.ts'

export const wireApis: Readonly<Record<ModelApi, WireApi>> = {
  chat: chatApi,
  completions: completionsApi,
  embeddings: embeddingsApi,
  responses: responsesApi,
  messages: messagesApi,
  count_tokens: countTokensApi,
}
