import { readMessagesPrompt } from './messages.ts'
import { createPlainReader } from './plain-reader.ts'
import type { WireApi } from './wire-api.ts'

/**
 * Anthropic's count of a prompt: https://docs.claude.com/en/api/messages-count-tokens. It uses no tokens itself; zael counts
 * where an upstream has no such route.
 */
export const countTokensApi: WireApi = {
  name: 'count_tokens',
  paths: { anthropic: '/v1/messages/count_tokens' },
  readPrompt: readMessagesPrompt,
  choices: () => 0,
  upstreamBody: (body, { model }) => ({ ...body, model }),
  usageOf: () => undefined,
  textOf: () => '',
  createStreamReader: createPlainReader,
}
