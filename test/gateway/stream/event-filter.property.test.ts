import { fc, test } from '@fast-check/vitest'
import { createParser } from 'eventsource-parser'
import { expect } from 'vitest'
import type { StreamEvent } from '../../../src/gateway/apis/wire-api.ts'
import { createEventFilter } from '../../../src/gateway/stream/event-filter.ts'
import { runs } from '../../property-runs.ts'

interface Filtered {
  readonly events: readonly StreamEvent[]
  readonly comments: number
  readonly passed: string
}

/** Bytes are compared as Latin-1, in which each is a character. */
const filter = (chunks: readonly Uint8Array[], isKept: (index: number) => boolean): Filtered => {
  const events: StreamEvent[] = []
  let comments = 0
  const filter = createEventFilter({
    event: (event) => isKept(events.push(event) - 1),
    cutEvent: () => false,
    comment() {
      comments += 1
    },
    hasEnded: () => false,
  })
  const passed = chunks.map((chunk) => Buffer.from(filter.push(chunk) ?? []))
  return { events, comments, passed: Buffer.concat(passed).toString('latin1') }
}

const MARK = '\u{ef}\u{bb}\u{bf}'

const LINE = /([^\r\n]*)(?:\r\n|\r|\n)/y

/** The bytes that must pass, found line by line in the whole stream. */
const expectedBytes = (stream: Uint8Array, isKept: (index: number) => boolean): string => {
  const text = Buffer.from(stream).toString('latin1')
  const start = text.startsWith(MARK) ? text.slice(MARK.length) : text
  const lines = start.replace(/^[\r\n]+/, '').matchAll(new RegExp(LINE, 'g'))
  let [passed, event, events] = ['', '', 0]
  for (const [whole, line = ''] of lines) {
    if (event === '' && (line === '' || line.startsWith(':'))) passed += whole
    else event += whole
    if (event === '' || line !== '') continue
    if (isKept(events)) passed += event
    event = ''
    events += 1
  }
  return passed
}

/** Those with data, as another parser reads them. */
const referenceEvents = (stream: Uint8Array): StreamEvent[] => {
  const events: StreamEvent[] = []
  const parser = createParser({ onEvent: ({ event, data }) => events.push({ name: event, data }) })
  const text = new TextDecoder().decode(stream)
  parser.feed(text)
  // it waits for the LF of a CR
  if (text.endsWith('\r')) parser.feed('\n')
  return events.filter(({ data }) => data !== '')
}

const text = fc.string({ unit: 'binary', maxLength: 6 }).map((value) => value.replaceAll(/[\r\n]/g, ''))

const field = fc.oneof(
  {
    arbitrary: fc.constantFrom('data: a', 'data:b', 'data', 'data:', 'data:  c', 'data: 日本語𝄞'),
    weight: 6,
  },
  { arbitrary: fc.constantFrom(':', ': ping', '::', ':data: a'), weight: 2 },
  { arbitrary: fc.constantFrom('event: x', 'event:y', 'event', 'event:', 'event: é'), weight: 2 },
  fc.constantFrom(
    'id: 1',
    'id',
    'retry: 5',
    'dat',
    'dataa: x',
    ' data: x',
    'data : x',
    '\u{feff}data: x',
    'foo',
  ),
  fc.tuple(fc.constantFrom('data:', 'data: ', 'event: ', ':', ''), text).map((parts) => parts.join('')),
)

const lineEnd = fc.oneof({ arbitrary: fc.constant('\n'), weight: 3 }, fc.constant('\r\n'), fc.constant('\r'))

const line = fc
  .tuple(fc.oneof({ arbitrary: field, weight: 2 }, fc.constant('')), lineEnd)
  .map((parts) => parts.join(''))

const wellFormed = fc
  .tuple(fc.constantFrom('', '', '\u{feff}'), fc.array(line, { maxLength: 30 }), field)
  .map(([mark, lines, cut]) => Uint8Array.from(Buffer.from(mark + lines.join('') + cut)))

/** Also what is no UTF-8. */
const anyBytes = fc.uint8Array({ maxLength: 60 })

const fewBytes = fc
  .array(fc.constantFrom(0x0a, 0x0d, 0x3a, 0xef, 0xbb, 0xbf, 0x64), { maxLength: 20 })
  .map((bytes) => Uint8Array.from(bytes))

const stream = fc.oneof({ arbitrary: wellFormed, weight: 4 }, anyBytes, fewBytes)

const sizes = fc.oneof(
  fc.constant([1]),
  fc
    .array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 5 })
    .filter((all) => all.some((size) => size > 0)),
  fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 8 }),
)

/** Chunks of these sizes, again and again. */
const chunksOf = (bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
  const chunks: Uint8Array[] = []
  for (let [at, index] = [0, 0]; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

test.prop([stream, sizes], { numRuns: runs(3000) })(
  'a stream has the same events in any chunks, as another parser reads them',
  (bytes, sizes) => {
    const filtered = filter(chunksOf(bytes, sizes), () => true)
    expect(filtered.events.filter(({ data }) => data !== '')).toEqual(referenceEvents(bytes))
    expect(filtered).toEqual(filter([bytes], () => true))
  },
)

test.prop([stream, sizes, fc.array(fc.boolean(), { minLength: 1, maxLength: 6 })], { numRuns: runs(3000) })(
  'all bytes pass but those of dropped events and of the one that is cut off',
  (bytes, sizes, kept) => {
    const isKept = (index: number) => kept[index % kept.length] ?? true
    expect(filter(chunksOf(bytes, sizes), isKept).passed).toBe(expectedBytes(bytes, isKept))
  },
)

test.prop([stream, sizes], { numRuns: runs(1000) })(
  'bytes that have passed do not change',
  (bytes, sizes) => {
    const filter = createEventFilter({
      event: () => true,
      cutEvent: () => true,
      comment() {},
      hasEnded: () => false,
    })
    const passed = chunksOf(bytes, sizes).flatMap((chunk) => filter.push(chunk.slice()) ?? [])
    const copies = passed.map((part) => Buffer.from(part))
    filter.push(Buffer.from('data: more\n\n: comment\n\n'.repeat(40)))
    expect(passed.map((part) => Buffer.from(part))).toEqual(copies)
  },
)
