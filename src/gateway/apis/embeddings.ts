import { isObject } from '../json-values.ts'
import { readTexts } from '../prompt/texts.ts'
import { createPlainReader } from './plain-reader.ts'
import { countOf, usageFrom } from './usage.ts'
import type { WireApi } from './wire-api.ts'

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
