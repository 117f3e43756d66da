/** One event of a stream: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
export interface SseEvent {
  /** `message` where the stream names none. */
  readonly event: string
  readonly data: string
}

export interface SseParser {
  /** The events that `text` completes; it may be cut anywhere. */
  feed(text: string): readonly SseEvent[]
}

const LINE_END = /\r\n|\n|\r/
const BYTE_ORDER_MARK = '\ufeff'

/** Parses a stream of server-sent events. `id` and `retry` are left out: reconnecting has its own times. */
export const createSseParser = (): SseParser => {
  let unfinished = ''
  let isFirst = true
  let endedByReturn = false
  const takeLine = createEventBuilder()

  /** A `\n` after a chunk that ended in `\r` belongs to that line's end. */
  const whole = (text: string): string => {
    const isMark = isFirst && text.startsWith(BYTE_ORDER_MARK)
    const isRest = endedByReturn && text.startsWith('\n')
    isFirst = false
    endedByReturn = text.endsWith('\r')
    return unfinished + (isMark || isRest ? text.slice(1) : text)
  }

  return {
    feed(text) {
      if (text === '') return []
      const lines = whole(text).split(LINE_END)
      unfinished = lines.pop() ?? ''
      return lines.flatMap((line) => takeLine(line) ?? [])
    },
  }
}

const createEventBuilder = () => {
  let event = ''
  let data: string[] = []
  /** An event where an empty line ends one that has data. */
  return (line: string): SseEvent | undefined => {
    if (line === '') {
      const built = data.length === 0 ? undefined : { event: event || 'message', data: data.join('\n') }
      event = ''
      data = []
      return built
    }
    const [field, value] = fieldOf(line)
    if (field === 'event') event = value
    if (field === 'data') data.push(value)
    return undefined
  }
}

/** A comment has an empty name. */
const fieldOf = (line: string): readonly [name: string, value: string] => {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  const start = line[colon + 1] === ' ' ? colon + 2 : colon + 1
  return [line.slice(0, colon), line.slice(start)]
}
