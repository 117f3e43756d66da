import { describe, expect, test } from 'vitest'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { ChatBackend, ChatResponse, ChatStream } from '../../../src/core/ports/chat-backend.ts'
import { allowedBy, deniedBy, SECOND, stateOf, tpm, violationOf } from '../../web/limit-states.ts'
import { createDemoChat, denialOf, hello } from './demo-chat.ts'
import { createFakeLimiter } from './fake-limiter.ts'

/** "Hello, how are you?" as one message of a user. */
const PROMPT = 13

const backendOf = (response: ChatResponse | ChatStream | Error): ChatBackend => {
  const give = async () => {
    if (response instanceof Error) throw response
    return response
  }
  return {
    mostCompletionTokens: () => 100,
    stream: give,
    async complete() {
      const given = await give()
      if ('chunks' in given) throw new Error('not a streamed request')
      return given
    },
  }
}

/** Clients that disconnect while the upstream responds: each sends its own `init`. */
const leaving = (most = 100) => {
  let gone = new AbortController()
  const leave = async (): Promise<never> => {
    gone.abort()
    throw new DOMException('The request was aborted', 'AbortError')
  }
  const backend: ChatBackend = { mostCompletionTokens: () => most, complete: leave, stream: leave }
  const init = () => {
    gone = new AbortController()
    return { signal: gone.signal }
  }
  return { backend, init }
}

const used = (output: number) => ({
  requests: 1,
  input_tokens: PROMPT,
  output_tokens: output,
  tokens: PROMPT + output,
})

describe('a chat', () => {
  test('is charged for its prompt and the longest completion, then settled to its usage', async () => {
    const limiter = createFakeLimiter()
    const usage = { promptTokens: PROMPT, completionTokens: 7 }
    const backend = backendOf({ status: 200, body: { id: 'c1' }, usage })
    const response = await createDemoChat({ limiter, backend }).send('key-bob', hello())
    expect([response.status, await response.json()]).toEqual([200, { id: 'c1' }])
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('9')
    expect(limiter.calls).toEqual([
      ['decide', { entityId: 'key-bob', resource: 'gpt-4', cost: used(100), settles: true }],
      ['settle', used(7)],
    ])
  })

  test('that the upstream rejects is refunded, and passes its status and headers on', async () => {
    const limiter = createFakeLimiter()
    const body = { error: { message: 'Overloaded', type: 'server_error', param: null, code: null } }
    const rejected = { status: 503, body, usage: undefined, headers: { 'retry-after': '3' } }
    for (const stream of [false, true]) {
      const response = await createDemoChat({ limiter, backend: backendOf(rejected) }).send('key-bob', {
        ...hello(),
        stream,
      })
      expect([response.status, await response.json(), response.headers.get('retry-after')]).toEqual([
        503,
        body,
        '3',
      ])
    }
    expect(limiter.calls.map(([name]) => name)).toEqual(['decide', 'release', 'decide', 'release'])
  })

  test('whose backend throws is refunded, and returns 500', async () => {
    const limiter = createFakeLimiter()
    const response = await createDemoChat({ limiter, backend: backendOf(new Error('a secret')) }).send(
      'key-bob',
      hello(),
    )
    const text = await response.text()
    expect([response.status, text.includes('a secret')]).toEqual([500, false])
    expect(limiter.calls.at(-1)).toEqual(['release'])
  })

  test('whose client disconnects before the response stays charged as reserved', async () => {
    const limiter = createFakeLimiter()
    for (const stream of [false, true]) {
      const { backend, init } = leaving()
      await createDemoChat({ limiter, backend }).send('key-bob', { ...hello(), stream }, init())
      expect(limiter.calls.at(-1)).toEqual(['settle', {}])
    }
  })

  test('whose upstream fails after its client has disconnected is refunded', async () => {
    const limiter = createFakeLimiter()
    const gone = new AbortController()
    const backend: ChatBackend = {
      ...backendOf(new Error('unused')),
      async complete() {
        gone.abort()
        return { status: 502, body: {}, usage: undefined }
      },
    }
    await createDemoChat({ limiter, backend }).send('key-bob', hello(), { signal: gone.signal })
    expect(limiter.calls.at(-1)).toEqual(['release'])
  })

  test('lets no caller exceed their limit by disconnecting each time', async () => {
    const { backend, init } = leaving(900)
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
      backend: backendOf(new Error('must not be called')),
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

describe('a request', () => {
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

  test('passes unknown fields on', async () => {
    const seen: unknown[] = []
    const backend: ChatBackend = {
      ...backendOf(new Error('unused')),
      async complete({ request }) {
        seen.push(request)
        return { status: 200, body: {}, usage: undefined }
      },
    }
    const body = {
      ...hello(5),
      seed: 7,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', x: 1 }], y: 2 }],
    }
    await createDemoChat({ backend }).send('key-bob', body)
    expect(seen).toEqual([body])
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
