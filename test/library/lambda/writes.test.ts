import { Router } from '@aws-lambda-powertools/event-handler/http'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  byJsonUsage,
  createRateLimiter,
  type LimiterStore,
  memoryStore,
  silentLogger,
} from '../../../src/library/index.ts'
import { middyRateLimit, perRecord, powertoolsRateLimit, withRateLimit } from '../../../src/library/lambda.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { untyped } from '../middleware/test-app.ts'
import { httpEvent, restEvent, sqsEvent, sqsRecord } from './events.ts'

/** Lambda freezes a process when its handler has returned: what is open then is finished much later, or never. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))

afterEach(() => void vi.useRealTimers())

/** A store whose every call takes some turns of the event loop; `open` counts those in progress. */
const createSlowStore = () => {
  const { buckets, ...store } = memoryStore()
  const calls = { open: 0, made: 0 }
  const slow =
    <Arguments extends readonly unknown[], T>(call: (...args: Arguments) => Promise<T>) =>
    async (...args: Arguments): Promise<T> => {
      calls.open++
      calls.made++
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
      try {
        return await call(...args)
      } finally {
        calls.open--
      }
    }
  const slowStore: LimiterStore = {
    ...store,
    buckets: { ...buckets, write: slow(buckets.write), read: slow(buckets.read) },
  }
  const countsOf = async (key: string) => (await buckets.list(`app:${key}`))[0]?.item
  return { store: slowStore, calls, countsOf }
}

const context: Context = untyped({})

const RESULT = { statusCode: 200, body: JSON.stringify({ usage: { total_tokens: 30 } }) }

/** Each form of a limited function, with its events; `handle` is called by its handler. */
const FORMS = {
  'a REST API': (options, handle) => {
    const handler = withRateLimit(untyped(options), async (_: unknown) => {
      handle()
      return RESULT
    })
    return () => handler(restEvent(), context)
  },
  'an HTTP API whose handler throws': (options, handle) => {
    const handler = withRateLimit(untyped(options), async (_: unknown) => failAfter(handle))
    return () => handler(httpEvent(), context).catch(() => {})
  },
  'a queue': (options, handle) => {
    const handler = withRateLimit(
      untyped(options),
      perRecord(async () => {
        handle()
        return { usage: { total_tokens: 30 } }
      }),
    )
    return () => handler(sqsEvent(sqsRecord('a')), context)
  },
  'a queue whose handler throws': (options, handle) => {
    const handler = withRateLimit(untyped(options), async (_: ReturnType<typeof sqsEvent>) =>
      failAfter(handle),
    )
    return () => handler(sqsEvent(sqsRecord('a')), context).catch(() => {})
  },
  Middy: (options, handle) => {
    const handler = middy<unknown>(async () => {
      handle()
      return RESULT
    }).use(middyRateLimit(untyped(options)))
    return () => handler(restEvent(), context)
  },
  'Middy whose handler throws': (options, handle) => {
    const handler = middy<unknown>(async () => failAfter(handle)).use(middyRateLimit(untyped(options)))
    return () => handler(restEvent(), context).catch(() => {})
  },
  Powertools: ({ changeVisibility: _, ...options }, handle) => {
    const app = new Router({ logger: silentLogger })
    app.use(powertoolsRateLimit(untyped(options)))
    app.post('/orders', () => {
      handle()
      return { usage: { total_tokens: 30 } }
    })
    return () => app.resolve(restEvent(), context)
  },
} satisfies Record<
  string,
  (options: Readonly<Record<string, unknown>>, handle: () => void) => () => Promise<unknown>
>

const failAfter = (handle: () => void): never => {
  handle()
  throw new Error('failed')
}

const nothing = (): void => {}

const LIMITS = [
  { name: 'rpm', capacity: 3, refill_rate: 0.001 },
  { name: 'tpm', capacity: 1000, refill_rate: 0.001 },
]

const OPTIONS = {
  key: () => 'bob',
  cost: { requests: 1, tokens: 30 },
  settle: byJsonUsage,
  logger: silentLogger,
  changeVisibility: async () => {},
}

describe.each(Object.entries(FORMS))('%s', (_, create) => {
  test('has written everything when it returns, allowed or denied', async () => {
    const { store, calls, countsOf } = createSlowStore()
    const invoke = create({ ...OPTIONS, store, limits: LIMITS }, nothing)
    for (let times = 1; times <= 5; times++) {
      await invoke()
      expect(calls.open).toBe(0)
      expect(await countsOf('bob')).toMatchObject({ used_requests: BigInt(Math.min(times, 3)) })
    }
    const { made } = calls
    vi.advanceTimersByTime(60_000)
    expect(calls.made).toBe(made)
  })

  test('waits for what the timer of an existing limiter has begun to write', async () => {
    const { store, calls, countsOf } = createSlowStore()
    const clock = createTestClock()
    const limiter = createRateLimiter({ store, limits: LIMITS, clock, logger: silentLogger })
    const cost = { requests: 1, tokens: 30 }
    // leaves counts that the timer writes
    await (await limiter.reserve('eve', { cost })).settle(cost)
    let made = 0
    const invoke = create({ ...OPTIONS, settle: undefined, limiter }, () => {
      clock.advance(2n * SECOND)
      vi.advanceTimersByTime(2000)
      made = calls.made
    })
    await invoke()
    expect(calls.made).toBe(made + 1)
    expect(calls.open).toBe(0)
    expect(await countsOf('eve')).toMatchObject({ used_requests: 1n, used_tokens: 30n })
    await limiter.close()
  })

  test('writes the denials of an existing limiter', async () => {
    const { store, calls, countsOf } = createSlowStore()
    const limiter = createRateLimiter({ store, limits: LIMITS, logger: silentLogger })
    const invoke = create({ ...OPTIONS, limiter }, nothing)
    for (let times = 1; times <= 5; times++) {
      await invoke()
      expect(calls.open).toBe(0)
    }
    expect(await countsOf('bob')).toMatchObject({ used_requests: 3n, denied: 2n, denied_rpm: 2n })
    await limiter.close()
  })

  test('has freed its slot when it returns', async () => {
    const { store, calls } = createSlowStore()
    const limits = [{ name: 'parallel', algorithm: 'concurrency', limit: 1 }]
    const limiter = createRateLimiter(untyped({ store, limits, logger: silentLogger }))
    const invoke = create({ ...OPTIONS, settle: undefined, cost: { requests: 1 }, limiter }, nothing)
    for (let times = 1; times <= 3; times++) {
      await invoke()
      expect(calls.open).toBe(0)
      expect((await limiter.check('bob', { cost: { requests: 1 } })).allowed).toBe(true)
    }
    await limiter.close()
  })
})

test.each([
  ['one write', {}, 1],
  ['two, if it is settled', { settle: byJsonUsage }, 2],
])('a request costs %s', async (_, settling, expected) => {
  const { store, calls } = createSlowStore()
  const options = { ...OPTIONS, settle: undefined, ...settling, store, limits: LIMITS }
  const handler = withRateLimit(untyped(options), async (_event: unknown) => RESULT)
  await handler(restEvent(), context)
  const { made } = calls
  await handler(restEvent(), context)
  expect(calls.made).toBe(made + expected)
})

test('a denied request costs no write beside its decision', async () => {
  const { store, calls } = createSlowStore()
  const handler = withRateLimit({ ...OPTIONS, store, limits: LIMITS }, async (_: unknown) => RESULT)
  for (let times = 1; times <= 3; times++) await handler(restEvent(), context)
  const { made } = calls
  await handler(restEvent(), context)
  expect(calls.made).toBe(made + 1)
})
