import type { JsonObject } from '../../core/model/json.ts'
import type { ModelProblem } from '../../core/ports/model-backend.ts'
import { isObject, objectsIn, parseObject, stringOf } from '../json-values.ts'
import { errorIn } from './error-in.ts'
import { createStreamRecord } from './stream-record.ts'
import { completionUsage, tierOf, withServed } from './usage.ts'
import type { StreamReader } from './wire-api.ts'

/** What a choice of a chunk contains: the model's text, and whether a client has something to show. */
export interface ChoiceOutput {
  readonly text: string
  readonly isVisible: boolean
  /** Images that it contains; absent: none. */
  readonly images?: number
}

interface ChoiceStreamOptions {
  /** Choices that the request asks for. */
  readonly choices: number
  readonly includesUsage: boolean
  readonly readChoice: (choice: JsonObject) => ChoiceOutput
}

const DONE = '[DONE]'

/** `stream_options.include_usage` */
export const asksForUsage = ({ stream_options }: JsonObject): boolean =>
  isObject(stream_options) && stream_options.include_usage === true

/** Reads the streams of chat and completions: chunks with choices, then `[DONE]`. */
export const createChoiceStreamReader = (options: ChoiceStreamOptions): StreamReader => {
  const { choices: expected, includesUsage, readChoice } = options
  const { add, report, reportInput: _, ...record } = createStreamRecord()
  const finished = new Set<number>()
  let isDone = false
  let failure: ModelProblem | undefined
  let tier: ReturnType<typeof tierOf>
  let images = 0

  /** Whether the choice has nothing for a client. */
  const passChoice = (choice: JsonObject): boolean => {
    const { text, isVisible, images: generated = 0 } = readChoice(choice)
    add(text, isVisible)
    images += generated
    const wasFinished = finished.has(indexOf(choice))
    const isFinish = stringOf(choice.finish_reason) !== ''
    if (isFinish) finished.add(indexOf(choice))
    return !isFinish && !isVisible && (wasFinished || hasNoFields(choice))
  }
  const readChunk = (chunk: JsonObject): 'send' | 'drop' => {
    failure = errorIn(chunk)
    const isEmpty = objectsIn(chunk.choices).map(passChoice).every(Boolean)
    tier = tierOf(chunk.service_tier) ?? tier
    report(withServed(completionUsage(chunk.usage), { tier, images }))
    const isUsageOnly = isEmpty && isObject(chunk.usage) && failure === undefined
    return isUsageOnly && !includesUsage ? 'drop' : 'send'
  }
  return {
    ...record,
    served: () => ({ tier, images }),
    read({ data }) {
      failure = undefined
      const text = data.trim()
      if (text === '') return 'drop'
      isDone ||= text === DONE
      if (text === DONE) return 'end'
      const chunk = parseObject(text)
      return chunk === undefined ? 'send' : readChunk(chunk)
    },
    failure: () => failure,
    isComplete: () => isDone || finished.size >= expected,
    ending: `data: ${DONE}\n\n`,
  }
}

const indexOf = ({ index }: JsonObject): number => (typeof index === 'number' ? index : 0)

/** The first chunk of a choice names the role, some an empty text: it is sent whatever else it contains. */
const hasNoFields = ({ delta, text }: JsonObject): boolean =>
  text === undefined && (!isObject(delta) || Object.keys(delta).length === 0)
