import type { TokenCounter } from '../core/ports/chat-backend.ts'
import { countLongText } from './count-text.ts'
import { type CountText, loadO200k } from './o200k.ts'
import { promptParts } from './prompt-texts.ts'
import { createWorkTurns, type WorkTurns } from './work-turns.ts'

/** Some 6 ms of the slowest texts, 2 ms of English: 7,000 characters of it are counted without a turn. */
const FREE_WORK = 65_536
/** Some 1.5 ms of the slowest texts. */
const WORK_PER_TURN = 16_384
/** Of a part of a prompt, beside its text. */
const WORK_PER_PART = 32

interface TokenCounterOptions {
  readonly load?: () => Promise<CountText>
  readonly turns?: WorkTurns
}

/**
 * Counts as gpt-4o does, for every model: the table is near enough for others, and the real usage is settled
 * afterwards. `load` is called once, at the first count; one that failed is tried again. Long texts are counted in turns,
 * which all counts of the process share.
 */
export const createTokenCounter = (options: TokenCounterOptions = {}): TokenCounter => {
  const load = options.load ?? loadO200k
  const turns = options.turns ?? createWorkTurns({ freeWork: FREE_WORK, workPerTurn: WORK_PER_TURN })
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
      const count = await counter()
      const task = turns.begin()
      let tokens = 0
      for (const part of promptParts(request)) {
        const turn = task.spend(WORK_PER_PART)
        if (turn !== undefined) await turn
        tokens += typeof part === 'number' ? part : await countLongText(part, count, task)
      }
      return tokens
    },
    async countText(text) {
      return countLongText(text, await counter(), turns.begin())
    },
  }
}
