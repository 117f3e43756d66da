import type { ModelApi, ModelProblem } from '../../core/ports/model-backend.ts'
import { modelErrorEvent } from '../../web/model-errors.ts'
import type { StreamEvent, StreamReader } from '../apis/wire-api.ts'
import { createEventFilter } from './event-filter.ts'
import type { StreamCharge } from './stream-charge.ts'

/** What a client receives of an upstream's stream. */
export interface ForwardedBytes {
  /** The next bytes of the upstream. Returns those for the client; undefined: none. */
  push(chunk: Uint8Array): ForwardedPart
  /** The upstream's stream has ended or failed. Returns the last bytes; `problem` only if the response is not whole. */
  end(problem: ModelProblem): ForwardedPart
  /** The client's stream can begin: with an event that is no error, or a comment. */
  canBegin(): boolean
  /** The event that ends the stream was read. */
  hasEnded(): boolean
  /** The response is whole, or an error was read: at most its usage is still to come. */
  isSettled(): boolean
  /** The first error that the upstream sent. */
  failure(): ModelProblem | undefined
  /** Events with data so far. */
  events(): number
  /** A comment that can be sent now; undefined: not within an event. */
  heartbeat(): string | undefined
}

export type ForwardedPart = Uint8Array | string | undefined

export interface ForwardedBytesOptions {
  readonly reader: StreamReader
  readonly charge: StreamCharge
  readonly api: ModelApi
  readonly requestId: string
}

/**
 * Python clients of OpenAI fail on an empty line without data once an event had an `id`. A comment line alone belongs to the
 * next event.
 */
const HEARTBEAT_LINE = ': heartbeat\n'

const HEARTBEAT = `${HEARTBEAT_LINE}\n`

export const createForwardedBytes = (options: ForwardedBytesOptions): ForwardedBytes => {
  const { reader, charge, api, requestId } = options
  let [events, canBegin, hasEnded, ending] = [0, false, false, reader.ending]
  let failure: ModelProblem | undefined

  const read = (event: StreamEvent): boolean => {
    if (isBlank(event.data)) return false
    events += 1
    const verdict = verdictOn(event, reader)
    charge.addEvent()
    failure ??= reader.failure()
    hasEnded = verdict === 'end'
    canBegin ||= verdict !== 'drop' && failure === undefined
    if (verdict !== 'end') return verdict === 'send'
    if (ending === `data: ${event.data}\n\n`) ending = ''
    return ending === ''
  }
  const filter = createEventFilter({
    event: read,
    cutEvent: (event) => isWholeData(event.data, reader) && read(event),
    comment() {
      canBegin = true
    },
    // what follows an error that fails the whole call is neither sent nor charged
    hasEnded: () => hasEnded || (failure !== undefined && !canBegin),
  })
  const isSettled = () => reader.isComplete() || failure !== undefined

  return {
    push(chunk) {
      const bytes = filter.push(chunk)
      return hasEnded ? joined(bytes, ending) : bytes
    },
    end(problem) {
      const bytes = filter.end()
      const isWhole = hasEnded || isSettled()
      const error = isWhole ? '' : modelErrorEvent(api, problem, requestId, reader.nextNumber?.())
      return joined(bytes, error + ending)
    },
    canBegin: () => canBegin || filter.isInsideEvent(),
    hasEnded: () => hasEnded,
    isSettled,
    failure: () => failure,
    events: () => events,
    heartbeat() {
      if (filter.isInsideEvent()) return undefined
      return filter.hasIds() ? HEARTBEAT_LINE : HEARTBEAT
    },
  }
}

/** The two in one. */
export const joined = (first: ForwardedPart, second: ForwardedPart): ForwardedPart => {
  if (isNothing(second)) return first
  if (isNothing(first)) return second
  return Buffer.concat([asBuffer(first), asBuffer(second)])
}

const isNothing = (part: ForwardedPart): part is undefined | '' => part === undefined || part === ''

const asBuffer = (part: Uint8Array | string): Uint8Array =>
  typeof part === 'string' ? Buffer.from(part) : part

/** An event that a reader fails to read passes: it must not break the stream. */
const verdictOn = (event: StreamEvent, reader: StreamReader): ReturnType<StreamReader['read']> => {
  try {
    return reader.read(event)
  } catch {
    return 'send'
  }
}

const isBlank = (data: string): boolean => data.length < 100 && data.trim() === ''

/** Whether the data of an event whose end is missing is whole. */
const isWholeData = (data: string, { ending }: StreamReader): boolean => {
  if (ending !== '' && `data: ${data.trim()}\n\n` === ending) return true
  try {
    JSON.parse(data)
    return true
  } catch {
    return false
  }
}
