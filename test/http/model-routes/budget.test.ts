import { describe, expect, test } from 'vitest'
import type { ModelBackend, ModelUsage } from '../../../src/core/ports/model-backend.ts'
import { type Logger, silentLogger } from '../../../src/core/ports/platform.ts'
import { fakeBackend, whole } from './fake-backend.ts'
import { createSpendingApp } from './spending-app.ts'

/** 100 tokens are a prompt of 150 micro-dollars; an output token is 10 of them. */
const PRICES = { input_per_million: 1.5, output_per_million: 10, cached_input_per_million: 0.5 }

const PROMPT = 100

const generating = fakeBackend({ inputTokens: PROMPT })

/** Uses fewer tokens than requested. */
const thrifty = (usage: ModelUsage): ModelBackend =>
  fakeBackend({ inputTokens: PROMPT, call: async () => whole({ id: 'c1' }, { of: 'usage', usage }) })

const BUDGET = { name: 'budget', meter: 'cost_usd_micros', capacity: 5_000, refill_rate: 0.001 }

const start = async (backend: ModelBackend = generating, prices: object | null = PRICES) => {
  const warnings: unknown[] = []
  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields) => void warnings.push([message, fields]),
  }
  const { send, deps, post, used } = await createSpendingApp([BUDGET], { backend, logger })
  await send('PUT', '/api/models/gpt-4', { body: { prices } })
  const chat = (max_tokens: number, fields: object = {}) =>
    post('/v1/chat/completions', {
      ...{ model: 'gpt-4', max_tokens, messages: [{ role: 'user', content: 'Hello' }] },
      ...fields,
    })
  const spent = async () => (await used()).cost_usd_micros
  const left = async () => {
    const { limits } = await deps.limiter.status('spender', 'gpt-4')
    return limits.find(({ limit }) => limit.name === 'budget')?.available
  }
  return { send, chat, spent, left, warnings }
}

describe('a budget', () => {
  test('pays for the prompt and the completion', async () => {
    const { chat, spent, left } = await start()
    expect((await chat(50)).status).toBe(200)
    expect([await spent(), await left()]).toEqual([650, 4350])
  })

  test('pays for streamed tokens', async () => {
    const { chat, spent } = await start()
    expect((await chat(50, { stream: true })).body).toContain('[DONE]')
    expect(await spent()).toBe(650)
  })

  test('is refunded what was reserved and not used, and charges cached input at its own price', async () => {
    const used = { inputTokens: 100, outputTokens: 10, cachedInputTokens: 80 }
    const { chat, spent, left } = await start(thrifty(used))
    expect((await chat(400)).status).toBe(200)
    // 20 × 1.5 + 80 × 0.5 + 10 × 10
    expect([await spent(), await left()]).toEqual([170, 4830])
  })

  test('charges cache writes at their own price, and a long context at its prices', async () => {
    const used = { inputTokens: 100, outputTokens: 10, cachedInputTokens: 40, cacheWriteTokens: 20 }
    const prices = { ...PRICES, cache_write_per_million: 2 }
    const short = await start(thrifty(used), prices)
    await short.chat(400)
    // 40 × 1.5 + 40 × 0.5 + 20 × 2 + 10 × 10
    expect(await short.spent()).toBe(220)
    const long_context = { above_tokens: 99, input_per_million: 3, output_per_million: 20 }
    const long = await start(thrifty(used), { ...prices, long_context })
    await long.chat(200)
    expect(await long.spent()).toBe(440)
  })

  test('that is exhausted is an exhausted quota, which clients do not retry', async () => {
    const { chat } = await start()
    expect((await chat(450)).status).toBe(200)
    const denied = await chat(50)
    expect(denied).toMatchObject({
      status: 429,
      body: {
        error: { type: 'insufficient_quota', code: 'insufficient_quota', param: null },
        violations: [{ limit_name: 'budget', available: 350, requested: 650, capacity: 5_000 }],
      },
    })
    expect(denied.headers.get('x-should-retry')).toBe('false')
  })

  test('reserves the most that a chat can cost', async () => {
    const { chat } = await start(thrifty({ inputTokens: 100, outputTokens: 1 }))
    expect(await chat(1000)).toMatchObject({ status: 429, body: { violations: [{ requested: 10_150 }] } })
  })

  test('does not apply to a model without prices, which is logged once', async () => {
    const { chat, spent, warnings } = await start(generating, null)
    for (let turn = 0; turn < 3; turn++) expect((await chat(50)).status).toBe(200)
    expect(await spent()).toBe(0)
    expect(warnings).toEqual([
      [
        'budget without effect: the model has no prices',
        { model: 'gpt-4', entityId: 'spender', limitName: 'budget' },
      ],
    ])
  })

  test('applies as soon as the model has prices', async () => {
    const { send, chat, left, warnings } = await start(generating, null)
    await send('PUT', '/api/models/gpt-4', { body: { prices: PRICES } })
    await chat(50)
    expect([await left(), warnings]).toEqual([4350, []])
  })
})

test('the cost of a chat is counted even if nothing limits it', async () => {
  const { send, chat, spent } = await start()
  await send('DELETE', '/api/limits/spender')
  await chat(50)
  expect(await spent()).toBe(650)
})
