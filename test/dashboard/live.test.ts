import { describe, expect, test } from 'vitest'
import { backOffMs, type Connection, follow, type Source } from '../../dashboard/live/follow.ts'
import { readEvents, type SseEvent } from '../../dashboard/live/sources.ts'

/** Follows a source that behaves in these ways, one after the other, and is then aborted. */
const followed = async (...ways: readonly Source<string>[]) => {
  const abort = new AbortController()
  const events: (Connection | string)[] = []
  const waits: number[] = []
  let at = 0
  await follow<string>(
    {
      source: (signal, hear) => ways[at++]?.(signal, hear) ?? Promise.resolve(abort.abort()),
      connected: 'live',
      onEvent: (event) => events.push(event),
      onConnection: (connection) => events.push(connection),
      wait: async (ms) => {
        waits.push(ms)
      },
      now: () => 1_000_000,
      random: () => 0,
    },
    abort.signal,
  )
  return { events, waits }
}

const failing: Source<string> = async () => {
  throw new Error('unavailable')
}

const saying =
  (...events: readonly string[]): Source<string> =>
  async (_, hear) => {
    events.forEach(hear)
  }

describe('following a source', () => {
  test('is live from the first event', async () => {
    const { events } = await followed(saying('a', 'b'))
    expect(events.slice(0, 4)).toEqual([{ state: 'connecting' }, { state: 'live' }, 'a', 'b'])
  })

  test('is offline once it ends, until the next first event', async () => {
    const { events } = await followed(saying('a'), saying('b'))
    expect(events).toEqual([
      { state: 'connecting' },
      { state: 'live' },
      'a',
      { state: 'offline', nextTryAt: 1_001_000, error: 'The stream ended.' },
      { state: 'live' },
      'b',
      { state: 'offline', nextTryAt: 1_001_000, error: 'The stream ended.' },
    ])
  })

  test('waits longer after each failure, and starts over after an event', async () => {
    const { events, waits } = await followed(failing, failing, failing, saying('a'), failing)
    expect(waits).toEqual([1000, 2000, 4000, 1000, 2000])
    expect(events[1]).toEqual({ state: 'offline', nextTryAt: 1_001_000, error: 'unavailable' })
  })

  test('emits nothing after it is aborted', async () => {
    const abort = new AbortController()
    const events: unknown[] = []
    await follow<string>(
      {
        source: async (_, hear) => {
          hear('a')
          abort.abort()
          hear('b')
        },
        connected: 'polling',
        onEvent: (event) => events.push(event),
        onConnection: ({ state }) => events.push(state),
        wait: async () => {},
        now: () => 0,
        random: () => 0,
      },
      abort.signal,
    )
    expect(events).toEqual(['connecting', 'polling', 'a'])
  })
})

describe('the delay after failures', () => {
  test.each([
    [1, 1000],
    [2, 2000],
    [5, 16_000],
    [6, 30_000],
    [2000, 30_000],
  ])('after %i is %i ms at most, and at least half of that', (failures, longest) => {
    expect(backOffMs(failures, 0)).toBe(longest)
    expect(backOffMs(failures, 1)).toBe(longest / 2)
  })
})

/** All events of a stream that arrives in these pieces. */
const read = async (...chunks: readonly Uint8Array<ArrayBuffer>[]): Promise<readonly SseEvent[]> => {
  const events: SseEvent[] = []
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  await readEvents(
    body,
    (event) => events.push(event),
    () => {},
  )
  return events
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

test.each([
  ['a name and data', 'event: entities\ndata: {"a":1}\n\n', [{ event: 'entities', data: '{"a":1}' }]],
  [
    'events without a name as messages',
    'data: a\n\nevent: b\ndata: c\n\ndata: d\n\n',
    [
      { event: 'message', data: 'a' },
      { event: 'b', data: 'c' },
      { event: 'message', data: 'd' },
    ],
  ],
  [
    'data of several lines, empty ones too',
    'data: a\ndata:\ndata:  b\n\n',
    [{ event: 'message', data: 'a\n\n b' }],
  ],
  ['empty data', 'data\n\n', [{ event: 'message', data: '' }]],
  ['no event without data', 'event: a\n\nretry: 2000\nid: 7\n\n', []],
  ['no event from comments', ': heartbeat\n\n:data: a\ndata: b\n: c\n\n', [{ event: 'message', data: 'b' }]],
  ['no event that is not complete', 'data: a\n', []],
  ['no event whose line is not complete', 'data: a', []],
])('reads %s', async (_, text, events) => {
  expect(await read(bytes(text))).toEqual(events)
})

// the parser reports an event that ends in CR alone with the next line, as LF could follow
test.each(['\n', '\r\n', '\r'])('accepts lines that end in %j', async (end) => {
  const text = ['event: a', 'data: 1', 'data: 2', '', 'data: 3', '', ': end'].join(end)
  expect(await read(bytes(text))).toEqual([
    { event: 'a', data: '1\n2' },
    { event: 'message', data: '3' },
  ])
})

test('reads the same events wherever the stream is cut', async () => {
  const stream = bytes(
    '\ufeff: hello\r\n\r\nevent: a\r\ndata: {"x": 1}\r\ndata: é\r\n\r\ndata: 2\n\nevent: b\rdata: 3\r\r: end\n',
  )
  const events = [
    { event: 'a', data: '{"x": 1}\né' },
    { event: 'message', data: '2' },
    { event: 'b', data: '3' },
  ]
  for (let at = 0; at <= stream.length; at += 1)
    expect(await read(stream.slice(0, at), stream.slice(at))).toEqual(events)
  for (const length of [1, 2, 3, 5, 7, 1000]) {
    const pieces = Array.from({ length: Math.ceil(stream.length / length) }, (_, at) =>
      stream.slice(at * length, (at + 1) * length),
    )
    expect(await read(...pieces)).toEqual(events)
  }
})
