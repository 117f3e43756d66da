import { describe, expect, test } from 'vitest'
import { CallAborted, type ModelApi } from '../../../src/core/ports/model-backend.ts'
import { type Delay, timerDelay } from '../../../src/gateway/simulated/simulated-events.ts'
import { aSimulatedModel, callOf, eventsOf, streamOf, wholeOf } from './simulated-calls.ts'

/** Records the waits. */
const recorded = () => {
  const waits: number[] = []
  const delay: Delay = async (ms) => {
    waits.push(ms)
  }
  return { waits, delay }
}

describe('latency', () => {
  test.each<ModelApi>(['chat', 'completions', 'embeddings', 'responses', 'messages', 'count_tokens'])(
    'delays the response of %s',
    async (api) => {
      const { waits, delay } = recorded()
      await wholeOf(callOf(api, {}), aSimulatedModel({ delay, latencyMs: 250 }))
      expect(waits).toEqual([250])
    },
  )

  test('delays the first event of a stream', async () => {
    const { waits, delay } = recorded()
    await streamOf(callOf('chat', {}), aSimulatedModel({ delay, latencyMs: 250 }))
    expect(waits).toEqual([250])
  })

  test('ends if the caller disconnects, who is charged the estimate', async () => {
    const gone = new AbortController()
    const model = aSimulatedModel({ delay: timerDelay, latencyMs: 3_600_000 })
    const call = callOf('chat', {}, { signal: gone.signal })
    const response = model.call(call)
    gone.abort()
    await expect(response).rejects.toThrow(CallAborted)
    await expect(model.call(call)).rejects.toMatchObject({ charge: { of: 'estimate' } })
  })
})

describe('the pace', () => {
  test('of a stream is its tokens per second', async () => {
    const { waits, delay } = recorded()
    await streamOf(callOf('chat', { max_tokens: 512 }), aSimulatedModel({ delay, tokensPerSecond: 50 }))
    expect(waits.length).toBe(256)
    expect(new Set(waits)).toEqual(new Set([40]))
  })

  test('does not delay whole responses', async () => {
    const { waits, delay } = recorded()
    await wholeOf(callOf('chat', {}), aSimulatedModel({ delay, tokensPerSecond: 50 }))
    expect(waits).toEqual([])
  })

  test('ends at once when the reader leaves', async () => {
    const events = await eventsOf(
      callOf('chat', {}),
      aSimulatedModel({ delay: timerDelay, tokensPerSecond: 1 }),
    )
    await events.next()
    const next = events.next()
    events.cancel()
    expect(await next).toBe(undefined)
    expect(await events.charge()).toEqual({ of: 'estimate' })
  })
})

describe('a stream that its reader leaves', () => {
  test('is charged the events that were read', async () => {
    const events = await eventsOf(callOf('chat', { max_tokens: 100 }))
    for (let read = 0; read < 4; read++) await events.next()
    events.cancel()
    expect(await events.next()).toBe(undefined)
    expect(await events.charge()).toEqual({ of: 'usage', usage: { inputTokens: 9, outputTokens: 3 } })
  })

  test('before its first token is charged the estimate', async () => {
    const events = await eventsOf(callOf('chat', { max_tokens: 100 }))
    await events.next()
    events.cancel()
    expect(await events.charge()).toEqual({ of: 'estimate' })
  })
})

test('a whole stream has ended with its last event', async () => {
  const events = await eventsOf(callOf('chat', { max_tokens: 1 }))
  const ends = []
  for (let read = 0; read < 4; read++) {
    await events.next()
    ends.push(events.hasEnded())
  }
  expect(ends).toEqual([false, false, false, true])
  expect(await events.next()).toBe(undefined)
})

describe('a request that would block the process is rejected', () => {
  test.each<[ModelApi, object, string]>([
    ['completions', { prompt: Array.from({ length: 2048 }, () => 'x'), n: 2 }, 'at most 2048 choices'],
    [
      'completions',
      { prompt: Array.from({ length: 2048 }, () => 'x'), n: 2, stream: true },
      'at most 2048 choices',
    ],
    ['embeddings', { input: ['a', 'b'], dimensions: 1_000_000 }, 'at most 1048576 numbers'],
  ])('%s (%#)', async (api, body, message) => {
    const reply = await aSimulatedModel().call(callOf(api, body))
    expect(reply).toMatchObject({
      kind: 'failed',
      problem: { status: 400, message: expect.stringContaining(message) },
      charge: { of: 'request' },
    })
  })
})
