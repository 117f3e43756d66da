import { describe, expect, test } from 'vitest'
import { backOffMs, type Connection, follow, type Source } from '../../dashboard/live/follow.ts'

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
