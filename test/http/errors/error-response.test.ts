import { describe, expect, test } from 'vitest'
import { StoreUnavailable, TooManyRequests } from '../../../src/core/model/errors.ts'
import { type Logger, silentLogger } from '../../../src/core/ports/platform.ts'
import { SECOND } from '../../core/test-clock.ts'
import { createTestApp, VIEWER } from '../test-app.ts'

describe('an error', () => {
  test("is flat outside /v1, and in OpenAI's shape inside", async () => {
    const { send } = createTestApp()
    expect((await send('GET', '/nowhere')).body).toEqual({
      error: 'not_found',
      message: 'There is nothing at /nowhere',
    })
    expect((await send('GET', '/v1/nowhere')).body).toMatchObject({
      error: { message: 'There is nothing at /v1/nowhere', type: 'invalid_request_error', param: null },
      message: 'There is nothing at /v1/nowhere',
    })
    expect((await send('GET', '/v10')).body).toMatchObject({ error: 'not_found' })
  })

  test('is flat in /v1 too if the setting is', async () => {
    const { send } = createTestApp({ settings: { errorFormat: 'flat' } })
    expect((await send('GET', '/v1/nowhere')).body).toMatchObject({ error: 'not_found' })
  })

  test('for an unsupported method lists the supported ones', async () => {
    const { status, headers, body } = await createTestApp().send('POST', '/api/models', { body: {} })
    expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow: 'GET' })
    expect(body).toMatchObject({ error: 'method_not_allowed' })
  })

  test('in the body is 400, in its type 415, in its size 413', async () => {
    const { app } = createTestApp({ settings: { maxBodyBytes: 100 } })
    const post = async (body: string, type?: string) => {
      const headers = {
        authorization: 'Bearer the-admin-token',
        ...(type !== undefined && { 'content-type': type }),
      }
      const response = await app.request('/api/entities', { method: 'POST', headers, body })
      return { status: response.status, body: await response.json() }
    }
    const broken = { error: 'invalid_request', message: 'body must be well-formed JSON', field: 'body' }
    expect(await post('{', 'application/json')).toEqual({ status: 400, body: broken })
    const untyped = { status: 415, body: { error: 'unsupported_media_type' } }
    expect(await post('{}')).toMatchObject(untyped)
    expect(await post('a=1', 'application/x-www-form-urlencoded')).toMatchObject(untyped)
    expect(await post('{}', 'application/jsonp')).toMatchObject(untyped)
    expect(await post('{}', 'application/json; charset=utf-8')).toMatchObject({ status: 400 })
    const large = JSON.stringify({ name: 'x'.repeat(100) })
    expect(await post(large, 'application/json')).toMatchObject({ status: 413, body: { error: 'too_large' } })
  })

  test('of the server reveals nothing, and is logged', async () => {
    const lines: unknown[] = []
    const logger: Logger = { ...silentLogger, error: (_, fields) => void lines.push(fields) }
    const { send, store } = createTestApp({ logger })
    store.listModels = async () => {
      throw new TypeError('Cannot read properties of undefined: secret-table-name')
    }
    const { status, body } = await send('GET', '/api/models')
    expect(status).toBe(500)
    expect(body).toEqual({ error: 'internal_error', message: 'Something went wrong on our side' })
    expect(lines).toMatchObject([
      { path: '/api/models', error: expect.stringContaining('secret-table-name') },
    ])
  })

  test('of an unavailable store is 503, with a retry time', async () => {
    const { send, store } = createTestApp()
    store.isUnavailable = true
    const { status, body, headers } = await send('GET', '/api/models')
    expect({ status, body }).toMatchObject({ status: 503, body: { error: 'unavailable' } })
    expect(headers.get('retry-after')).toBe('1')
  })
})

test('requests that fail with the store are one log line per minute, with their number and no stack', async () => {
  const lines: unknown[] = []
  const at =
    (level: string): Logger['warn'] =>
    (...line) =>
      void lines.push([level, ...line])
  const logger: Logger = { ...silentLogger, warn: at('warn'), error: at('error') }
  const { send, app, clock } = createTestApp({ logger })
  app.get('/unavailable', () => {
    throw new StoreUnavailable('away', { mayHaveApplied: false, reason: 'AccessDeniedException: no' })
  })
  for (let turn = 0; turn < 5; turn++) {
    const { status, body } = await send('GET', '/unavailable')
    expect([status, JSON.stringify(body)]).toEqual([503, expect.not.stringContaining('AccessDenied')])
  }
  const fields = { reason: 'AccessDeniedException: no' }
  expect(lines).toEqual([['warn', 'requests failed without the store', { ...fields, count: 1 }]])
  clock.advance(60n * SECOND)
  await send('GET', '/unavailable')
  expect(lines[1]).toEqual(['warn', 'requests failed without the store', { ...fields, count: 5 }])
})

test.each(['/api/entities?q=x', '/api/dashboard/entities?q=x', '/api/dashboard/stream?q=x'])(
  '%s returns 429 with the time to wait while too many searches read',
  async (path) => {
    const { send, store } = createTestApp()
    store.listEntities = async () => {
      throw new TooManyRequests('Too many searches at once', 1.5)
    }
    const { status, headers, body } = await send('GET', path, { headers: VIEWER })
    expect(status).toBe(429)
    expect(body).toEqual({
      error: 'rate_limit_exceeded',
      message: 'Too many searches at once',
      retry_after_seconds: 1.5,
      violations: [],
    })
    expect([headers.get('retry-after'), headers.get('retry-after-ms')]).toEqual(['2', '1500'])
  },
)
