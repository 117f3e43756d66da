import { isObject } from '../json-values.ts'
import { readTexts } from '../prompt/content.ts'
import { readMessagesPrompt } from './messages.ts'
import { countOf, usageFrom } from './usage.ts'
import type { StreamReader, WireApi } from './wire-api.ts'

/** Of APIs that have no streams: if an upstream streams nevertheless, everything is sent and nothing is counted. */
const createPlainReader = (): StreamReader => ({
  read: ({ data }) => (data.trim() === '' ? 'drop' : 'send'),
  failure: () => undefined,
  isComplete: () => true,
  hasOutput: () => false,
  usage: () => undefined,
  inputUsage: () => undefined,
  takeText: () => '',
  ending: '',
})

/** OpenAI's embeddings: https://platform.openai.com/docs/api-reference/embeddings */
export const embeddingsApi: WireApi = {
  name: 'embeddings',
  paths: { openai: '/embeddings' },
  readPrompt: ({ input }, prompt) => readTexts(input, prompt),
  choices: () => 0,
  upstreamBody: (body, { model }) => ({ ...body, model }),
  usageOf: ({ usage }) =>
    isObject(usage) ? usageFrom({ input: countOf(usage.prompt_tokens), output: 0 }) : undefined,
  textOf: () => '',
  createStreamReader: createPlainReader,
}

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
