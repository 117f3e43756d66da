import type { TokenCounter } from '../core/ports/chat-backend.ts'
import { countLongText } from './count-text.ts'
import { type CountText, loadO200k } from './o200k.ts'
import { promptParts } from './prompt-texts.ts'

/**
 * Counts as gpt-4o does, for every model: the table is near enough for others, and the real usage is settled
 * afterwards. `load` is called once, at the first count; one that failed is tried again.
 */
export const createTokenCounter = (
  options: { readonly load?: () => Promise<CountText> } = {},
): TokenCounter => {
  const load = options.load ?? loadO200k
  let loading: Promise<CountText> | undefined
  const counter = () => {
    loading ??= load().catch((cause: unknown) => {
      loading = undefined
      throw cause
    })
    return loading
  }
  return {
    async countPrompt(request) {
      const { texts, overhead } = promptParts(request)
      const count = await counter()
      let tokens = overhead
      for (const text of texts) tokens += await countLongText(text, count)
      return tokens
    },
    async countText(text) {
      return countLongText(text, await counter())
    },
  }
}
