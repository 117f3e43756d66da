import type { StreamEvent } from '../apis/wire-api.ts'
import { type ByteWindow, createByteWindow } from './byte-window.ts'

/** Decides about the events of a stream, one after the other. */
export interface EventSink {
  /** A whole event; `data` is empty if no line contains any. Returns whether its bytes pass. */
  event(event: StreamEvent): boolean
  /** As `event`, for the event that the end of the stream cuts off before its empty line. */
  cutEvent(event: StreamEvent): boolean
  /** A comment outside of events. It passes. */
  comment(): void
  /** Whether the last event has ended the stream: nothing behind it is read or passes. */
  hasEnded(): boolean
}

/** Splits a stream into events by the event-stream standard, and passes the bytes of those that `EventSink` selects. */
export interface EventFilter {
  /** The next bytes of the stream. Returns those that pass, up to the last whole event; undefined: none. */
  push(chunk: Uint8Array): Uint8Array | undefined
  /** The stream has ended. Returns the rest that passes, with the line ends that it lacks. */
  end(): Uint8Array | undefined
  /** Whether the bytes that have passed end within an event or a comment. */
  isInsideEvent(): boolean
  /** Whether the stream has used the field `id`. */
  hasIds(): boolean
}

/** In bytes. An event that is longer passes as it arrives, whatever `EventSink` returns for it in the end. */
const MAX_HELD = 1024 * 1024

/** In bytes. An event that is longer is not parsed. */
const MAX_PARSED = 32 * 1024 * 1024

/** All positions count bytes from the beginning of the stream. */
interface State {
  readonly sink: EventSink
  readonly bytes: ByteWindow
  /** Bytes that pass and are not returned yet. */
  readonly slices: Buffer[]
  /** Bytes before it have passed or were dropped. */
  passed: number
  /** The beginning of the current line. */
  line: number
  /** The last line ended with a CR, whose LF may follow. */
  isAfterCr: boolean
  /** The last line was dropped; so is the LF that may follow. */
  isDropped: boolean
  /** The byte order mark was read, or the stream has none. */
  isMarkRead: boolean
  /** An event or a comment has begun. */
  hasStarted: boolean
  /** An event has ended the stream. */
  hasEnded: boolean
  hasIds: boolean
  /** The current line is a comment that is longer than `MAX_HELD`. */
  isLongComment: boolean
  isInEvent: boolean
  /** Of the current event. */
  readonly event: EventPositions
}

interface EventPositions {
  start: number
  /** It is longer than `MAX_PARSED`: its bytes are not kept. */
  isUnparsed: boolean
  dataLines: number
  /** The data of the first line that has any. */
  dataStart: number
  dataEnd: number
  nameStart: number
  nameEnd: number
}

/**
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 *
 * An event begins with its first field and ends with an empty line; comments before it are not a part of it and pass at once.
 * The byte order mark and empty lines at the beginning are dropped: a comment of zael may precede them. Bytes are copied only if
 * an event continues in the next chunk, or if one in the middle of a chunk is dropped.
 */
export const createEventFilter = (sink: EventSink): EventFilter => {
  const state: State = {
    sink,
    bytes: createByteWindow(),
    slices: [],
    passed: 0,
    line: 0,
    isAfterCr: false,
    isDropped: true,
    isMarkRead: false,
    hasStarted: false,
    hasEnded: false,
    hasIds: false,
    isLongComment: false,
    isInEvent: false,
    event: { start: 0, isUnparsed: false, dataLines: 0, dataStart: 0, dataEnd: 0, nameStart: 0, nameEnd: 0 },
  }
  return {
    push(chunk) {
      if (chunk.length === 0 || state.hasEnded) return undefined
      const from = state.bytes.end()
      state.bytes.append(chunk, keptFrom(state))
      if (!state.isMarkRead) readMark(state)
      readLines(state, chunk, from)
      if (!state.hasEnded) passWhole(state)
      return takeSlices(state)
    },
    end() {
      if (state.isLongComment) return END_OF_LINE
      if (!state.isInEvent) return undefined
      return endCutEvent(state) ? takeSlices(state) : undefined
    },
    isInsideEvent: () => state.isLongComment || hasPassedInPart(state),
    hasIds: () => state.hasIds,
  }
}

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a

const END_OF_LINE = Buffer.from('\n')

const END_OF_LAST_LINE = Buffer.from('\n\n')

/** Bytes before it are no longer needed. */
const keptFrom = ({ bytes, isLongComment, isInEvent, event, line }: State): number => {
  if (isLongComment || (isInEvent && event.isUnparsed)) return bytes.end()
  return isInEvent ? event.start : line
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const

const readMark = (state: State): void => {
  for (const [at, byte] of BYTE_ORDER_MARK.entries()) {
    const received = state.bytes.byteAt(at)
    if (received === byte) continue
    state.isMarkRead = received !== undefined
    return
  }
  state.isMarkRead = true
  state.line = BYTE_ORDER_MARK.length
  state.passed = BYTE_ORDER_MARK.length
}

/** Reads the lines that end in `chunk`, whose position is `from`. */
const readLines = (state: State, chunk: Uint8Array, from: number): void => {
  let next = endCrLf(state, chunk)
  // each is searched separately and only once: most streams contain no CR
  let lf = indexOf(chunk, LF, next)
  let cr = indexOf(chunk, CR, next)
  for (let end = Math.min(lf, cr); end < chunk.length && !state.hasEnded; end = Math.min(lf, cr)) {
    next = end + 1
    if (end === lf) lf = indexOf(chunk, LF, next)
    else {
      state.isAfterCr = next === chunk.length
      if (next === lf && !state.isAfterCr) {
        next += 1
        lf = indexOf(chunk, LF, next)
      }
      cr = indexOf(chunk, CR, next)
    }
    endLine(state, from + end, from + next)
  }
}

/** The length of the chunk if it does not contain `byte`. */
const indexOf = (chunk: Uint8Array, byte: number, from: number): number => {
  const index = chunk.indexOf(byte, from)
  return index === -1 ? chunk.length : index
}

/** Returns the length of the LF that belongs to a CR at the end of the previous chunk. */
const endCrLf = (state: State, chunk: Uint8Array): number => {
  const length = state.isAfterCr && chunk[0] === LF ? 1 : 0
  state.isAfterCr = false
  state.line += length
  if (length > 0 && state.isDropped) state.passed = state.line
  return length
}

/** Ends the current line; the next one begins at `next`. */
const endLine = (state: State, end: number, next: number): void => {
  if (state.line === end) endEvent(state, next)
  else if (state.isLongComment || isComment(state)) {
    state.isLongComment = false
    state.hasStarted = true
    state.isDropped = false
    state.sink.comment()
  } else readField(state, end)
  state.line = next
}

/** Whether the current line is a comment outside of events. */
const isComment = ({ isInEvent, bytes, line }: State): boolean => !isInEvent && bytes.byteAt(line) === COLON

const beginEvent = (state: State): void => {
  const { event, line } = state
  state.isInEvent = true
  state.hasStarted = true
  state.isDropped = false
  event.start = line
  event.isUnparsed = false
  event.dataLines = 0
  event.nameStart = 0
  event.nameEnd = 0
}

const DATA = 'data'

/** The field of an event's name. */
const NAME = 'event'

const ID = 'id'

const readField = (state: State, end: number): void => {
  if (!state.isInEvent) beginEvent(state)
  const { event, line } = state
  if (event.isUnparsed) return
  if (isField(state, DATA, end)) {
    event.dataLines += 1
    if (event.dataLines > 1) return
    event.dataStart = valueStart(state, line + DATA.length, end)
    event.dataEnd = end
  } else if (isField(state, NAME, end)) {
    event.nameStart = valueStart(state, line + NAME.length, end)
    event.nameEnd = end
  } else if (isField(state, ID, end)) state.hasIds = true
}

/** Whether the current line has the field `name`, which is ASCII. */
const isField = ({ bytes, line }: State, name: string, end: number): boolean => {
  for (let at = 0; at < name.length; at++) {
    if (bytes.byteAt(line + at) !== name.charCodeAt(at)) return false
  }
  const colon = line + name.length
  return colon === end || bytes.byteAt(colon) === COLON
}

/** A space after the colon is not a part of the value. */
const valueStart = ({ bytes }: State, colon: number, end: number): number =>
  Math.min(end, bytes.byteAt(colon + 1) === SPACE ? colon + 2 : colon + 1)

/** An empty line, which ends the current event if there is one. */
const endEvent = (state: State, next: number): void => {
  if (!state.isInEvent) {
    // those between events pass with them
    if (state.hasStarted) state.isDropped = false
    else state.passed = next
    return
  }
  const { event, sink, line } = state
  const isKept = event.isUnparsed || sink.event(eventUpTo(state, line)) || hasPassedInPart(state)
  state.isInEvent = false
  state.isDropped = !isKept
  state.hasEnded = sink.hasEnded()
  if (isKept && !state.hasEnded) return
  pass(state, isKept ? next : event.start)
  state.passed = next
}

const eventUpTo = ({ bytes, event }: State, end: number): StreamEvent => ({
  name: event.nameEnd > event.nameStart ? bytes.text(event.nameStart, event.nameEnd) : undefined,
  data:
    event.dataLines > 1
      ? joinedData(bytes.text(event.start, end))
      : event.dataLines === 1
        ? bytes.text(event.dataStart, event.dataEnd)
        : '',
})

/** The data of an event with several lines of it. */
const joinedData = (event: string): string =>
  event
    .split(/\r\n|\r|\n/)
    .flatMap((line) => {
      if (line === DATA) return ['']
      return line.startsWith('data:') ? [line.slice(line[5] === ' ' ? 6 : 5)] : []
    })
    .join('\n')

/** Whether bytes of the current event have already passed. */
const hasPassedInPart = ({ isInEvent, passed, event }: State): boolean => isInEvent && passed > event.start

/** The bytes up to `end` pass. */
const pass = (state: State, end: number): void => {
  if (end <= state.passed) return
  state.slices.push(state.bytes.slice(state.passed, end))
  state.passed = end
}

/** Passes all that is whole, and the beginning of what is too long to be held. */
const passWhole = (state: State): void => {
  const { bytes, event } = state
  const end = bytes.end()
  if (!state.isInEvent && state.line < end && isBeginOfField(state)) beginEvent(state)
  const held = state.isInEvent ? event.start : state.line
  const isLong = end - held > MAX_HELD
  pass(state, isLong ? end : held)
  state.isLongComment ||= isLong && !state.isInEvent
  event.isUnparsed ||= state.isInEvent && end - held > MAX_PARSED
}

const isBeginOfField = (state: State): boolean =>
  state.isMarkRead && !state.isLongComment && !isComment(state)

/** Returns false if nothing of the event passes. */
const endCutEvent = (state: State): boolean => {
  const { bytes, event, sink } = state
  const end = bytes.end()
  const isLineCut = state.line < end
  if (isLineCut) readField(state, end)
  const isKept = event.isUnparsed || sink.cutEvent(eventUpTo(state, end))
  if (!isKept && !hasPassedInPart(state)) return false
  pass(state, end)
  state.isInEvent = false
  state.slices.push(isLineCut || state.isAfterCr ? END_OF_LAST_LINE : END_OF_LINE)
  return true
}

const takeSlices = ({ slices }: State): Uint8Array | undefined => {
  const [first] = slices
  if (first === undefined) return undefined
  const bytes = slices.length === 1 ? first : Buffer.concat(slices)
  slices.length = 0
  return bytes
}
