import { expect, onTestFinished, test, vi } from 'vitest'
import type { StreamEvent } from '../../../src/gateway/apis/wire-api.ts'
import { createEventFilter } from '../../../src/gateway/stream/event-filter.ts'

const MIB = 1024 * 1024

/** A filter that passes everything, and what it has read. */
const openFilter = (isCutKept = true) => {
  const events: StreamEvent[] = []
  let comments = 0
  const filter = createEventFilter({
    event: (event) => events.push(event) > 0,
    cutEvent: (event) => events.push(event) > 0 && isCutKept,
    comment() {
      comments += 1
    },
    hasEnded: () => false,
  })
  const push = (bytes: string | Uint8Array): string => {
    const passed = filter.push(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
    return passed === undefined ? '' : Buffer.from(passed).toString()
  }
  return { filter, push, events, comments: () => comments }
}

const endOf = ({ filter }: ReturnType<typeof openFilter>): string => String(filter.end() ?? '')

test('an event passes with its last byte', () => {
  const { push, events } = openFilter()
  expect(push('event: a\ndata: 1\ndata: 2\n')).toBe('')
  expect(push('\n')).toBe('event: a\ndata: 1\ndata: 2\n\n')
  expect(events).toEqual([{ name: 'a', data: '1\n2' }])
})

test('a comment passes with its line', () => {
  const { push, comments } = openFilter()
  expect(push(': pi')).toBe('')
  expect(push('ng\n')).toBe(': ping\n')
  expect(push('\n')).toBe('\n')
  expect(comments()).toBe(1)
})

test('an event ends with the CR of its empty line, and the LF of the CR follows', () => {
  const { push, events } = openFilter()
  expect(push('data: 1\r\n\r')).toBe('data: 1\r\n\r')
  expect(push('\ndata: 2\r\n\r\n')).toBe('\ndata: 2\r\n\r\n')
  expect(events).toHaveLength(2)
})

test('the byte order mark is dropped, also in parts', () => {
  const { push, events } = openFilter()
  const bytes = Buffer.from('\u{feff}data: 1\n\n')
  expect([...bytes].map((byte) => push(Uint8Array.of(byte))).join('')).toBe('data: 1\n\n')
  expect(events).toEqual([{ name: undefined, data: '1' }])
})

test('an event that follows a dropped one in a chunk passes', () => {
  const filter = createEventFilter({
    event: ({ data }) => data !== 'b',
    cutEvent: () => false,
    comment() {},
    hasEnded: () => false,
  })
  const passed = filter.push(Buffer.from('data: a\n\ndata: b\n\ndata: c\n\n'))
  expect(String(passed)).toBe('data: a\n\ndata: c\n\n')
})

test('a long event passes as it arrives, and is parsed in the end', () => {
  const { filter, push, events } = openFilter()
  const half = `data: ${'a'.repeat(MIB)}`
  expect(push(half) === half).toBe(true)
  expect(filter.isInsideEvent()).toBe(true)
  expect(push('b\n')).toBe('b\n')
  expect(events).toEqual([])
  expect(push('\n')).toBe('\n')
  expect(filter.isInsideEvent()).toBe(false)
  expect(events[0]?.data === `${'a'.repeat(MIB)}b`).toBe(true)
})

test('a long event passes whatever is decided in the end', () => {
  const filter = createEventFilter({
    event: () => false,
    cutEvent: () => false,
    comment() {},
    hasEnded: () => false,
  })
  filter.push(Buffer.from(`data: ${'a'.repeat(MIB)}`))
  expect(String(filter.push(Buffer.from('b\n\ndata: c\n\n')))).toBe('b\n\n')
})

test('an event of more than 32 MiB passes, but is not parsed', () => {
  const { filter, push, events } = openFilter()
  const part = 'a'.repeat(MIB)
  push(`data: ${part}`)
  for (let size = 1; size <= 32; size++) expect(push(part) === part).toBe(true)
  expect(push('\ndata: b\n')).toBe('\ndata: b\n')
  expect(filter.isInsideEvent()).toBe(true)
  expect(push('\ndata: c\n\n')).toBe('\ndata: c\n\n')
  expect(events).toEqual([{ name: undefined, data: 'c' }])
})

test('a long comment passes as it arrives', () => {
  const { filter, push, events, comments } = openFilter()
  const half = `: ${'a'.repeat(MIB)}`
  expect(push(half) === half).toBe(true)
  expect(filter.isInsideEvent()).toBe(true)
  expect(push('b')).toBe('b')
  expect(push('\ndata: c\n\n')).toBe('\ndata: c\n\n')
  expect(filter.isInsideEvent()).toBe(false)
  expect(events).toEqual([{ name: undefined, data: 'c' }])
  expect(comments()).toBe(1)
})

test('an event in chunks of a byte is collected in few buffers, so that it takes linear time', () => {
  const allocate = vi.spyOn(Buffer, 'allocUnsafe')
  onTestFinished(() => allocate.mockRestore())
  const { push, events } = openFilter()
  const bytes = Buffer.from(`data: ${'a'.repeat(200_000)}\n\n`)
  let early = ''
  for (let at = 0; at < bytes.length - 1; at++) early += push(bytes.subarray(at, at + 1))
  expect(early).toBe('')
  expect(push('\n')).toHaveLength(bytes.length)
  expect(events[0]?.data).toHaveLength(200_000)
  // sizes double
  expect(allocate.mock.calls.length).toBeLessThan(10)
})

test('many lines of data are read once', () => {
  const { push, events } = openFilter()
  const lines = 'data: a\n'.repeat(100_000)
  for (const part of lines.match(/.{1,100}/gs) ?? []) push(part)
  push('\n')
  expect(events[0]?.data).toHaveLength(199_999)
})

test.each([
  ['data: 1', 'data: 1\n\n'],
  ['data: 1\n', 'data: 1\n\n'],
  ['data: 1\r', 'data: 1\r\n\n'],
  ['data: 1\r\n', 'data: 1\r\n\n'],
])('an event that the end of the stream cuts off receives its line ends: %j', (cut, passed) => {
  const opened = openFilter()
  expect(opened.push(cut)).toBe('')
  expect(endOf(opened)).toBe(passed)
  expect(opened.events).toEqual([{ name: undefined, data: '1' }])
})

test('an event that is cut off can be dropped, but not after a part of it has passed', () => {
  const short = openFilter(false)
  short.push('data: 1')
  expect(endOf(short)).toBe('')
  const long = openFilter(false)
  long.push(`data: ${'a'.repeat(MIB)}`)
  expect(endOf(long)).toBe('\n\n')
  const comment = openFilter(false)
  comment.push(`: ${'a'.repeat(MIB)}`)
  expect(endOf(comment)).toBe('\n')
})

test('nothing follows a whole event, and half a comment is dropped', () => {
  const opened = openFilter()
  opened.push('data: 1\n\n: pin')
  expect(endOf(opened)).toBe('')
})

test.each([true, false])('nothing passes behind an event that ends the stream, kept: %s', (isKept) => {
  let hasEnded = false
  const filter = createEventFilter({
    event({ data }) {
      hasEnded = data === 'last'
      return data !== 'last' || isKept
    },
    cutEvent: () => true,
    comment() {},
    hasEnded: () => hasEnded,
  })
  const passed = filter.push(Buffer.from('data: 1\n\ndata: last\n\n: comment\n\ndata: 2\n\ndata: 3'))
  expect(String(passed)).toBe(isKept ? 'data: 1\n\ndata: last\n\n' : 'data: 1\n\n')
  expect(filter.push(Buffer.from('\n\n: more\n\n'))).toBeUndefined()
  expect(filter.end()).toBeUndefined()
})
