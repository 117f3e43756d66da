import { describe, expect, test } from 'vitest'
import type { Pace } from '../../../src/core/ports/model-backend.ts'
import { createDemoChat, hello } from './demo-chat.ts'
import { fakeBackend } from './fake-backend.ts'

const PACE: Pace = { factor: 0.35, recoveryNs: 200_000_000_000n, since: 1n, onDenial() {} }

/** `key-bob` may send 10 requests a minute to gpt-4, of which a share applies; to gpt-4o all. */
const start = (errorFormat: 'openai' | 'flat' = 'openai') => {
  const asked: unknown[] = []
  const backend = fakeBackend({
    paceOf(model, entityId) {
      asked.push([model.id, entityId])
      return model.id === 'gpt-4' ? PACE : undefined
    },
  })
  return { asked, ...createDemoChat({ backend, settings: { errorFormat } }) }
}

describe('a chat with a model whose upstream is at its own limit', () => {
  test('shows what the share leaves, and is denied beyond it', async () => {
    const { send, asked } = start()
    const left: (string | null)[] = []
    for (let n = 0; n < 3; n++) {
      const response = await send('key-bob', hello(1))
      expect(response.status).toBe(200)
      left.push(response.headers.get('x-ratelimit-remaining-requests'))
    }
    expect(left).toEqual(['2', '1', '0'])
    expect(asked).toEqual([
      ['gpt-4', 'key-bob'],
      ['gpt-4', 'key-bob'],
      ['gpt-4', 'key-bob'],
    ])
    const denied = await send('key-bob', hello(1))
    expect(denied.status).toBe(429)
    expect(await denied.json()).toMatchObject({
      error: {
        message: expect.stringMatching(
          /^Rate limit reached for gpt-4 .* on requests per min \(RPM\): Limit 10, Used 10, Requested 1\. The upstream of the model is at its own limit: 35 % of the limit applies\. Please try again in [\d.]+s\.$/,
        ),
        type: 'requests',
        code: 'rate_limit_exceeded',
      },
      message:
        'Rate limit exceeded for limits: rpm (a share of them applies while the upstream of the model is at its own limit)',
      violations: [
        { limit_name: 'rpm', entity_id: 'key-bob', resource: 'gpt-4', capacity: 10, available: 0 },
      ],
    })
    expect(Object.fromEntries(denied.headers)).toMatchObject({
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-remaining-requests': '0',
      'ratelimit-policy': expect.stringContaining('"rpm";q=10;w=60'),
      ratelimit: expect.stringMatching(/"rpm";r=0;t=\d+/),
    })
    const wait = Number(denied.headers.get('retry-after-ms'))
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThan(60_000 / 3.5)
  })

  test('is admitted after the wait of its denial', async () => {
    const { send, advance } = start()
    for (let n = 0; n < 3; n++) await send('key-bob', hello(1))
    const denied = await send('key-bob', hello(1))
    advance(Number(denied.headers.get('retry-after-ms')))
    expect((await send('key-bob', hello(1))).status).toBe(200)
  })

  test('does not touch other models', async () => {
    const { send } = start()
    for (let n = 0; n < 4; n++) await send('key-bob', hello(1))
    const response = await send('key-bob', { ...hello(1), model: 'gpt-4o' })
    expect([response.status, response.headers.get('x-ratelimit-remaining-requests')]).toEqual([200, '9'])
  })

  test('is denied flat where errors are flat', async () => {
    const { send } = start('flat')
    for (let n = 0; n < 3; n++) await send('key-bob', hello(1))
    expect(await (await send('key-bob', hello(1))).json()).toMatchObject({
      error: 'rate_limit_exceeded',
      message: expect.stringContaining('(a share of them applies'),
    })
  })
})
