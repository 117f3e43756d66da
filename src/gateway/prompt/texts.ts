import type { JsonValue } from '../../core/model/json.ts'
import type { PromptSink } from './prompt-sink.ts'

/** Texts as completions and embeddings take them: one, a list, or lists of token ids in place of texts. */
export const readTexts = (value: JsonValue | undefined, prompt: PromptSink): void => {
  if (typeof value === 'string') prompt.text(value)
  else if (typeof value === 'number') prompt.tokens(1)
  else if (Array.isArray(value)) for (const item of value) readTexts(item, prompt)
}

/** How many texts these are; a list of token ids is one. */
export const textsIn = (value: JsonValue | undefined): number =>
  Array.isArray(value) && typeof value[0] !== 'number' ? Math.max(1, value.length) : 1
