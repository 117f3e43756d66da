import type { JsonObject } from '../../core/model/json.ts'
import type { ModelProblem } from '../../core/ports/model-backend.ts'
import { parseObject, stringOf } from '../json-values.ts'
import { errorIn } from './error-in.ts'
import { createStreamRecord, type StreamRecord } from './stream-record.ts'
import type { StreamReader } from './wire-api.ts'

/** What an event means for the stream as a whole. */
export interface EventMeaning {
  /** The response is whole. */
  readonly isComplete: boolean
  readonly failure?: ModelProblem | undefined
}

type ReadEvent = (type: string, event: JsonObject, record: StreamRecord) => EventMeaning | undefined

/** Reads streams of named events without `[DONE]`, whose data has the name as its `type`. */
export const createNamedEventReader = (readEvent: ReadEvent): StreamReader => {
  const record = createStreamRecord()
  const { hasOutput, usage, inputUsage, takeText } = record
  let isComplete = false
  let failure: ModelProblem | undefined
  let nextNumber = 0
  const meaningOf = (type: string, event: JsonObject): EventMeaning | undefined =>
    type === 'error'
      ? { isComplete: false, failure: errorIn({ ...event, type }) }
      : readEvent(type, event, record)
  return {
    read({ name = '', data }) {
      failure = undefined
      if (data.trim() === '') return 'drop'
      const event = parseObject(data)
      if (event === undefined) return 'send'
      nextNumber = numberAfter(event, nextNumber)
      const meaning = meaningOf(stringOf(event.type) || name, event)
      failure = meaning?.failure
      isComplete ||= meaning?.isComplete ?? false
      return 'send'
    },
    failure: () => failure,
    isComplete: () => isComplete,
    hasOutput,
    usage,
    inputUsage,
    takeText,
    nextNumber: () => nextNumber,
    ending: '',
  }
}

/** Of the event that follows. */
const numberAfter = ({ sequence_number: number }: JsonObject, next: number): number =>
  typeof number === 'number' && Number.isSafeInteger(number) && number >= next ? number + 1 : next
