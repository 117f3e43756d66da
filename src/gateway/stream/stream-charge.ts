import type { ModelCharge, ModelUsage } from '../../core/ports/model-backend.ts'
import type { Eventual } from '../../core/ports/when-ready.ts'
import { withServed } from '../apis/usage.ts'
import type { StreamReader } from '../apis/wire-api.ts'

/** Counts the tokens of a text. Rejects if the tokenizer cannot be loaded. */
export type CountText = (text: string) => Eventual<number>

/** What a stream is charged. */
export interface StreamCharge {
  /** Takes the text and the usage of the event that was read last. */
  addEvent(): void
  /** The charge of all events so far. */
  result(): Promise<ModelCharge>
}

/**
 * In characters: some 64,000 tokens, more than most responses have. The text is counted only if it is longer, or if no usage is
 * reported in the end.
 */
const MAX_TEXT = 256 * 1024

const NOTHING: ModelCharge = { of: 'nothing' }

const ESTIMATE: ModelCharge = { of: 'estimate' }

/**
 * The usage that was reported last; the tokens that were counted, if none was reported and a client has something to show; the
 * estimate, if it has not; nothing, if it received an error instead. Text after the last report can only add to it.
 */
export const createStreamCharge = (
  reader: StreamReader,
  inputTokens: number,
  countText: CountText,
): StreamCharge => {
  let text = ''
  let counted = Promise.resolve(0)
  let usage: ModelUsage | undefined
  let [isUsageOld, hasFailed] = [false, false]

  const countPending = (): Promise<number> => {
    if (text === '') return counted
    const pending = text
    text = ''
    counted = counted.then(async (tokens) => tokens + (await countText(pending)))
    // `result` handles it
    counted.catch(() => {})
    return counted
  }
  const used = async (): Promise<ModelUsage> => {
    if (usage !== undefined && !isUsageOld) return usage
    const counted = await countPending()
    if (usage === undefined) {
      const counts = { ...(reader.inputUsage() ?? { inputTokens }), outputTokens: counted }
      const served = reader.served?.()
      return served === undefined ? counts : (withServed(counts, served) ?? counts)
    }
    return { ...usage, outputTokens: Math.max(usage.outputTokens, counted) }
  }

  return {
    addEvent() {
      hasFailed ||= reader.failure() !== undefined
      const reported = reader.usage()
      const added = reader.takeText()
      if (reported !== usage) {
        usage = reported
        isUsageOld = false
      } else if (added !== '') isUsageOld = true
      text += added
      if (text.length > MAX_TEXT) void countPending()
    },
    async result() {
      if (!reader.hasOutput() && hasFailed) return NOTHING
      if (!reader.hasOutput() && usage === undefined) return ESTIMATE
      try {
        return { of: 'usage', usage: await used() }
      } catch {
        // the tokenizer could not be loaded
        return ESTIMATE
      }
    },
  }
}
