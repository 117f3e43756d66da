import { describe, expect, test } from 'vitest'
import { backOffMs, type Connection, follow, type Source } from '../../dashboard/live/follow.ts'
import { createSseParser } from '../../dashboard/live/sse-parser.ts'

/** Follows a source that is to be listened to in these ways, one after the other; then nothing follows. */
const followed = async (...ways: readonly Source<string>[]) => {
  const abort = new AbortController()
  const said: (Connection | string)[] = []
  const waits: number[] = []
  let at = 0
  await follow<string>(
    {
      source: (signal, hear) => ways[at++]?.(signal, hear) ?? Promise.resolve(abort.abort()),
      connected: 'live',
      onEvent: (event) => said.push(event),
      onConnection: (connection) => said.push(connection),
      wait: async (ms) => {
        waits.push(ms)
      },
      now: () => 1_000_000,
      random: () => 0,
    },
    abort.signal,
  )
  return { said, waits }
}

const failing: Source<string> = async () => {
  throw new Error('away')
}

const saying =
  (...events: readonly string[]): Source<string> =>
  async (_, hear) => {
    events.forEach(hear)
  }

describe('following a source', () => {
  test('is live from its first event on', async () => {
    const { said } = await followed(saying('a', 'b'))
    expect(said.slice(0, 4)).toEqual([{ state: 'connecting' }, { state: 'live' }, 'a', 'b'])
  })

  test('is offline once it ends, until the next first event', async () => {
    const { said } = await followed(saying('a'), saying('b'))
    expect(said).toEqual([
      { state: 'connecting' },
      { state: 'live' },
      'a',
      { state: 'offline', nextTryAt: 1_001_000, error: 'The stream ended.' },
      { state: 'live' },
      'b',
      { state: 'offline', nextTryAt: 1_001_000, error: 'The stream ended.' },
    ])
  })

  test('waits longer with each failure, and begins anew after an event', async () => {
    const { said, waits } = await followed(failing, failing, failing, saying('a'), failing)
    expect(waits).toEqual([1000, 2000, 4000, 1000, 2000])
    expect(said[1]).toEqual({ state: 'offline', nextTryAt: 1_001_000, error: 'away' })
  })

  test('says nothing more once it is aborted', async () => {
    const abort = new AbortController()
    const said: unknown[] = []
    await follow<string>(
      {
        source: async (_, hear) => {
          hear('a')
          abort.abort()
          hear('b')
        },
        connected: 'polling',
        onEvent: (event) => said.push(event),
        onConnection: ({ state }) => said.push(state),
        wait: async () => {},
        now: () => 0,
        random: () => 0,
      },
      abort.signal,
    )
    expect(said).toEqual(['connecting', 'polling', 'a'])
  })
})

describe('the wait after failures', () => {
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

/** All events of a stream whose text comes in these pieces. */
const parse = (...chunks: readonly string[]) => {
  const parser = createSseParser()
  return chunks.flatMap((chunk) => parser.feed(chunk))
}

const cutEvery = (text: string, length: number): readonly string[] =>
  Array.from({ length: Math.ceil(text.length / length) }, (_, at) =>
    text.slice(at * length, (at + 1) * length),
  )

describe('server-sent events', () => {
  test('have a name and data', () => {
    expect(parse('event: entities\ndata: {"a":1}\n\n')).toEqual([{ event: 'entities', data: '{"a":1}' }])
  })

  test('without a name are messages', () => {
    expect(parse('data: a\n\nevent: b\ndata: c\n\ndata: d\n\n')).toEqual([
      { event: 'message', data: 'a' },
      { event: 'b', data: 'c' },
      { event: 'message', data: 'd' },
    ])
  })

  test('may have data of several lines, empty ones too', () => {
    expect(parse('data: a\ndata:\ndata:  b\n\n')).toEqual([{ event: 'message', data: 'a\n\n b' }])
  })

  test('have data even where it is empty, and are none without', () => {
    expect(parse('data\n\n')).toEqual([{ event: 'message', data: '' }])
    expect(parse('event: a\n\n', 'retry: 2000\nid: 7\n\n')).toEqual([])
  })

  test('are not made of comments', () => {
    expect(parse(': heartbeat\n\n:data: a\n', 'data: b\n: c\n\n')).toEqual([{ event: 'message', data: 'b' }])
  })

  test.each(['\n', '\r\n', '\r'])('may have lines that end in %j', (end) => {
    const text = ['event: a', 'data: 1', 'data: 2', '', 'data: 3', '', ''].join(end)
    expect(parse(text)).toEqual([
      { event: 'a', data: '1\n2' },
      { event: 'message', data: '3' },
    ])
  })

  const stream =
    '\ufeff: hello\r\n\r\nevent: a\r\ndata: {"x": 1}\r\ndata: é\r\n\r\ndata: 2\n\nevent: b\rdata: 3\r\r'
  const events = [
    { event: 'a', data: '{"x": 1}\né' },
    { event: 'message', data: '2' },
    { event: 'b', data: '3' },
  ]

  test.each([1, 2, 3, 5, 7, 1000])(
    'are the same wherever the stream is cut: every %i characters',
    (length) => {
      expect(parse(...cutEvery(stream, length))).toEqual(events)
    },
  )

  test('are the same whichever two pieces the stream comes in', () => {
    for (let at = 0; at <= stream.length; at += 1)
      expect(parse(stream.slice(0, at), stream.slice(at))).toEqual(events)
  })

  test('that are not finished are none yet', () => {
    expect(parse('data: a\n')).toEqual([])
    expect(parse('data: a')).toEqual([])
  })
})
