import { describe, expect, test } from 'vitest'
import type { Decision } from '../../../src/core/decide/decision.ts'
import { CallAborted, type ModelCharge, type ModelReply } from '../../../src/core/ports/model-backend.ts'
import { allowedBy, deniedBy, SECOND, stateOf, tpm, violationOf } from '../../web/limit-states.ts'
import { createDemoChat, denialOf, hello } from './demo-chat.ts'
import { failed, fakeBackend, PROMPT_TOKENS, usageCharge, whole } from './fake-backend.ts'
import { createFakeLimiter } from './fake-limiter.ts'

const PROMPT = PROMPT_TOKENS

/** The caller disconnects while the upstream works: each request has its own `init`. */
const leaving = (charge: ModelCharge) => {
  let gone = new AbortController()
  const backend = fakeBackend({
    defaultOutputTokens: 100,
    call: async () => {
      gone.abort()
      throw new CallAborted(charge)
    },
  })
  const init = () => {
    gone = new AbortController()
    return { signal: gone.signal }
  }
  return { backend, init }
}

const replying = (reply: ModelReply) => fakeBackend({ defaultOutputTokens: 100, call: async () => reply })

const used = (output: number, input = PROMPT) => ({
  requests: 1,
  input_tokens: input,
  output_tokens: output,
  tokens: input + output,
})

const ESTIMATE: ModelCharge = { of: 'estimate' }
const NOTHING: ModelCharge = { of: 'nothing' }

describe('a request', () => {
  test('is charged for its prompt and the longest response, then settled to its usage', async () => {
    const limiter = createFakeLimiter()
    const backend = replying(whole({ id: 'c1' }, usageCharge(PROMPT, 7)))
    const response = await createDemoChat({ limiter, backend }).send('key-bob', hello())
    expect([response.status, await response.json()]).toEqual([200, { id: 'c1' }])
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('9')
    expect(limiter.calls).toEqual([
      ['decide', { entityId: 'key-bob', resource: 'gpt-4', cost: used(100), settles: true }],
      ['settle', used(7)],
    ])
  })

  test('is decided for its user and session, and reaches the upstream without its session', async () => {
    const limiter = createFakeLimiter()
    const backend = replying(whole({ id: 'c1' }, usageCharge(PROMPT, 7)))
    const chat = createDemoChat({ limiter, backend })
    await chat.send('key-bob', { ...hello(), user: 'ann', session: 'run-1' })
    expect(limiter.calls[0]).toEqual(['decide', expect.objectContaining({ user: 'ann', session: 'run-1' })])
    expect(backend.calls[0]?.body).toMatchObject({ user: 'ann' })
    expect(backend.calls[0]?.body).not.toHaveProperty('session')
  })

  test.each([
    ['nothing', ['release']],
    ['request', ['settle', used(0, 0)]],
    ['estimate', ['settle', {}]],
  ] as const)('that the upstream rejects is charged %s', async (of, call) => {
    const limiter = createFakeLimiter()
    const body = { error: { message: 'Overloaded', type: 'server_error', param: null, code: null } }
    const backend = replying(whole(body, { of }, 503, { 'retry-after': '3' }))
    const response = await createDemoChat({ limiter, backend }).send('key-bob', hello())
    expect([response.status, await response.json()]).toEqual([503, body])
    expect(response.headers.get('retry-after')).toBe('3')
    // they would describe the limits with the charge
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBeNull()
    expect(limiter.calls.at(-1)).toEqual(call)
  })

  test("whose upstream fails has the API's error", async () => {
    const limiter = createFakeLimiter()
    const problem = { status: 504, message: 'Upstream a is slow', code: 'upstream_timeout' }
    const backend = replying(failed(problem, NOTHING))
    const response = await createDemoChat({ limiter, backend }).send('key-bob', hello())
    expect([response.status, await response.json()]).toEqual([
      504,
      {
        error: { message: 'Upstream a is slow', type: 'server_error', param: null, code: 'upstream_timeout' },
        message: 'Upstream a is slow',
      },
    ])
    expect(limiter.calls.at(-1)).toEqual(['release'])
  })

  test('whose backend throws is refunded, and returns 500', async () => {
    const limiter = createFakeLimiter()
    const backend = fakeBackend({ call: () => Promise.reject(new Error('a secret')) })
    const response = await createDemoChat({ limiter, backend }).send('key-bob', hello())
    const text = await response.text()
    expect([response.status, text.includes('a secret')]).toEqual([500, false])
    expect(limiter.calls.at(-1)).toEqual(['release'])
  })

  test.each([
    [ESTIMATE, ['settle', {}]],
    [NOTHING, ['release']],
  ])('whose client disconnects before the response is charged as the call says: %o', async (charge, call) => {
    const limiter = createFakeLimiter()
    for (const stream of [false, true]) {
      const { backend, init } = leaving(charge)
      await createDemoChat({ limiter, backend }).send('key-bob', { ...hello(), stream }, init())
      expect(limiter.calls.at(-1)).toEqual(call)
    }
  })

  test('lets no caller exceed their limit by disconnecting each time', async () => {
    const { backend, init } = leaving(ESTIMATE)
    const chat = createDemoChat({ backend })
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) statuses.push((await chat.send('key-bob', hello(900), init())).status)
    expect(statuses).toEqual([499, 429, 429, 429])
  })

  test('charges the largest of its bounds', async () => {
    const response = await createDemoChat().send('key-bob', {
      ...hello(4000),
      max_completion_tokens: 1,
    })
    expect(response.status).toBe(429)
    expect(await response.json()).toMatchObject({ violations: [{ limit_name: 'tpm', requested: 4013 }] })
  })

  test('does not reach the limiter if that is bypassed', async () => {
    const limiter = createFakeLimiter()
    const response = await createDemoChat({ limiter, settings: { bypassLimiter: true } }).send(
      'key-bob',
      hello(),
    )
    expect([response.status, limiter.calls]).toEqual([200, []])
    expect(response.headers.get('x-ratelimit-limit-requests')).toBeNull()
  })
})

describe('a request without a maximum', () => {
  test("is bounded by the model's maximum and by what its limits can ever admit", async () => {
    const backend = fakeBackend({ defaultOutputTokens: null })
    const chat = createDemoChat({ backend })
    // key-bob has 1000 tokens, key-alice 3000, and no model allows more than 4096
    expect([(await chat.send('key-bob', hello())).status]).toEqual([200])
    expect([(await chat.send('key-alice', hello())).status]).toEqual([200])
    expect(backend.calls.map(({ outputBound }) => outputBound)).toEqual([1000 - PROMPT, 3000 - PROMPT])
  })

  test('reserves that bound', async () => {
    const limiter = createFakeLimiter()
    const backend = fakeBackend({ defaultOutputTokens: null })
    await createDemoChat({ limiter, backend }).send('key-bob', hello())
    expect(limiter.calls[0]).toMatchObject(['decide', { cost: used(4096) }])
  })
})

describe('a long prompt', () => {
  test('that can never pass is denied without being counted', async () => {
    const backend = fakeBackend({ leastTokens: 5000, count: () => Promise.reject(new Error()) })
    const response = await createDemoChat({ backend }).send('key-bob', hello(5))
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([429, 'false'])
    expect(await denialOf(response)).toMatchObject({ violations: [{ limit_name: 'tpm', requested: 5005 }] })
  })

  test('of a caller at their limit is denied without being counted', async () => {
    let counted = 0
    const count = async () => {
      counted += 1
      return { inputTokens: 700, namedOutputTokens: 5, choices: 1, defaultOutputTokens: 16 }
    }
    const chat = createDemoChat({ backend: fakeBackend({ leastTokens: 600, count }), leaseTtlMs: 1000 })
    const statuses: number[] = []
    for (let turn = 0; turn < 5; turn++) statuses.push((await chat.send('key-bob', hello(5))).status)
    expect(statuses).toEqual([200, 429, 429, 429, 429])
    // the denial of the second request is remembered
    expect(counted).toBe(2)
  })

  test('that passes is counted, and reserved once', async () => {
    const chat = createDemoChat({ backend: fakeBackend({ leastTokens: 10 }) })
    expect((await chat.send('key-bob', hello(5))).status).toBe(200)
    expect((await chat.bucket('key-bob'))?.used_tokens).toBe(18n)
  })
})

describe('a denial', () => {
  const limiter = () =>
    createFakeLimiter(
      deniedBy(
        [violationOf(stateOf({ capacity: 10, available: 0 }), 1, 6n * SECOND)],
        [tpm({ capacity: 1000, available: 9 })],
      ),
    )

  test('reaches no backend, and has all headers', async () => {
    const response = await createDemoChat({
      limiter: limiter(),
      backend: fakeBackend({ call: () => Promise.reject(new Error('must not be called')) }),
    }).send('key-bob', {
      ...hello(),
      stream: true,
    })
    expect(response.status).toBe(429)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'retry-after': '6',
      'retry-after-ms': '6000',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-remaining-tokens': '9',
      'x-ratelimit-limit': '10',
      'ratelimit-policy': '"rpm";q=10;w=60, "tpm";q=1000;w=60;zael-meter="tokens"',
      ratelimit: '"rpm";r=0;t=6, "tpm";r=9',
    })
  })

  test('has the flat body if ERROR_FORMAT is flat', async () => {
    const chat = createDemoChat({ limiter: limiter(), settings: { errorFormat: 'flat' } })
    expect(await (await chat.send('key-bob', hello())).json()).toEqual({
      error: 'rate_limit_exceeded',
      message: 'Rate limit exceeded for limits: rpm',
      retry_after_seconds: 6,
      violations: [
        {
          limit_name: 'rpm',
          entity_id: 'key-bob',
          resource: 'gpt-4',
          available: 0,
          requested: 1,
          capacity: 10,
          retry_after_seconds: 6,
        },
      ],
    })
  })

  test('because of an unavailable store is a 503 that can be retried', async () => {
    const unavailable = { ...deniedBy([]), degraded: true, unavailable: true }
    const response = await createDemoChat({ limiter: createFakeLimiter(unavailable) }).send(
      'key-bob',
      hello(),
    )
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      error: { type: 'server_error', code: 'unavailable', param: null },
      degraded: true,
    })
    expect([response.headers.get('x-zael-degraded'), response.headers.get('retry-after')]).toEqual([
      'true',
      '1',
    ])
  })
})

describe('the model', () => {
  const chat = createDemoChat()
  const { model: _, ...unnamed } = hello(1)
  const modelOf = async (response: Response) => ((await response.json()) as { model: unknown }).model

  test('is that of the body, else of X-Preferred-Model, else the default', async () => {
    const preferring = { headers: { 'x-preferred-model': 'gpt-4o' } }
    expect(
      await modelOf(await chat.send('key-alice', { ...unnamed, model: 'org/tiny-model' }, preferring)),
    ).toBe('org/tiny-model')
    expect(await modelOf(await chat.send('key-alice', unnamed, preferring))).toBe('gpt-4o')
    expect(await modelOf(await chat.send('key-alice', { ...unnamed, model: null }))).toBe('gpt-4')
    const unpreferring = { headers: { 'x-preferred-model': '' } }
    expect(await modelOf(await chat.send('key-alice', unnamed, unpreferring))).toBe('gpt-4')
  })

  test.each([
    ['that is not registered', 'key-bob', 'gpt-9', 404, 'model_not_found'],
    ['that could be no id', 'key-bob', 'gpt 4#', 404, 'model_not_found'],
    ['that the caller may not use', 'key-charlie', 'gpt-4o', 403, 'model_not_allowed'],
  ])('%s is rejected before anything is charged', async (_, key, model, status, code) => {
    const limiter = createFakeLimiter()
    const response = await createDemoChat({ limiter }).send(key, { ...hello(), model })
    expect([response.status, limiter.calls]).toEqual([status, []])
    expect(await response.json()).toMatchObject({
      error: { type: 'invalid_request_error', param: null, code },
    })
  })
})

describe('a body', () => {
  test.each([
    ['messages', { messages: undefined }, 'messages must be given'],
    ['messages', { messages: [] }, 'messages must contain 1 to 2048 messages'],
    ['messages', { messages: 'Hi' }, 'messages must be a list'],
    ['messages[1]', { messages: [{ role: 'user' }, 'Hi'] }, 'messages[1] must be an object'],
    ['messages[0].role', { messages: [{ content: 'Hi' }] }, 'messages[0].role must be given'],
    [
      'messages[0].content',
      { messages: [{ role: 'user', content: 7 }] },
      'messages[0].content must be a string or a list of at most 2048 parts, each with a type',
    ],
    ['max_tokens', { max_tokens: 0 }, 'max_tokens must be at least 1'],
    ['max_tokens', { max_tokens: 1.5 }, 'max_tokens must be an integer'],
    ['max_tokens', { max_tokens: '50' }, 'max_tokens must be a number'],
    [
      'max_completion_tokens',
      { max_completion_tokens: 1e12 },
      'max_completion_tokens must be at most 1000000000',
    ],
    ['n', { n: 129 }, 'n must be at most 128'],
    ['stream', { stream: 'yes' }, 'stream must be true or false'],
    ['stream_options', { stream_options: 'usage' }, 'stream_options must be an object'],
    ['temperature', { temperature: 3 }, 'temperature must be at most 2'],
  ])('with invalid %s is rejected by the name of the field', async (field, change, message) => {
    const response = await createDemoChat().send('key-bob', { ...hello(), ...change })
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: { message, type: 'invalid_request_error', param: field, code: 'invalid_request' }, message },
    ])
  })

  test('passes unknown fields and headers on, but no credential', async () => {
    const backend = fakeBackend()
    const body = {
      ...hello(5),
      seed: 7,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', x: 1 }], y: 2 }],
    }
    const headers = {
      'openai-beta': 'x=1',
      traceparent: '00-1-2-00',
      authorization: 'Bearer key-bob',
      cookie: 'a',
    }
    await createDemoChat({ backend }).send('key-bob', body, { headers })
    expect(backend.calls).toMatchObject([
      { api: 'chat', entityId: 'key-bob', requestId: 'req_1', body, inputTokens: PROMPT, outputBound: null },
    ])
    expect(backend.calls[0]?.headers).toEqual({ 'openai-beta': 'x=1', traceparent: '00-1-2-00' })
  })

  test.each([101, 100_000])('that nests %d levels deep is rejected', async (depth) => {
    const body = `{"model":"gpt-4","messages":[{"role":"user"}],"metadata":${'['.repeat(depth)}${']'.repeat(depth)}}`
    const response = await createDemoChat().send('key-bob', {}, { body })
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { message: 'body must nest at most 100 levels deep' },
    ])
  })

  test('with a model name of a megabyte is rejected in a short message', async () => {
    const response = await createDemoChat().send('key-bob', { ...hello(), model: 'm'.repeat(1_000_000) })
    expect(response.status).toBe(404)
    expect((await response.text()).length).toBeLessThan(1000)
  })

  test('that is not JSON is rejected', async () => {
    const response = await createDemoChat().send('key-bob', {}, { body: '{"model":' })
    expect(response.status).toBe(400)
  })
})

const empty = violationOf(stateOf({ capacity: 10, available: 0 }), 1, SECOND)

const send = (decision: Decision) => {
  const unavailableCause = 'AccessDeniedException: no'
  const limiter = createFakeLimiter({ ...decision, unavailableCause })
  return createDemoChat({ limiter }).send('key-bob', hello())
}

test.each([
  [200, allowedBy()],
  [429, deniedBy([empty])],
])(
  'a decision made without the store has a header in its %d, without the cause',
  async (status, decision) => {
    const response = await send({ ...decision, degraded: true })
    expect([response.status, response.headers.get('x-zael-degraded')]).toEqual([status, 'true'])
    expect(await response.clone().text()).not.toContain('AccessDenied')
    if (status === 429) expect(await denialOf(response)).toMatchObject({ degraded: true })
  },
)

test('a decision made with the store has no such header', async () => {
  const response = await send(deniedBy([empty]))
  expect(response.headers.get('x-zael-degraded')).toBeNull()
  expect(await denialOf(response)).not.toHaveProperty('degraded')
})
