import { describe, expect, test } from 'vitest'
import { completeResponse, type ResponseContext, respond } from '../../src/http/response.ts'
import { createTestApp } from './test-app.ts'

describe('a change made through the API', () => {
  test('applies at once in the process that makes it: a model that did not exist', async () => {
    const { send, clock } = createTestApp()
    const status = async () => {
      clock.advance(1n)
      return (await send('GET', '/v1/models/gpt-4')).status
    }
    expect(await status()).toBe(404)
    await send('PUT', '/api/models/gpt-4', { body: {} })
    expect(await status()).toBe(200)
    await send('DELETE', '/api/models/gpt-4')
    expect(await status()).toBe(404)
  })

  test('applies at once to decisions: a limit that was raised', async () => {
    const { send, deps } = createTestApp()
    await send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org' } })
    const decide = () => deps.limiter.decide({ entityId: 'org', cost: { requests: 100 }, settles: false })
    expect((await decide()).allowed).toBe(false)
    const limits = [{ name: 'rpm', capacity: 100, refill_rate: 100 }]
    await send('PUT', '/api/limits/org', { body: { limits } })
    expect((await decide()).allowed).toBe(true)
  })

  test('is reported to the hook of the composition', async () => {
    const changes: object[] = []
    const { send } = createTestApp({ onChange: (change) => changes.push(change) })
    await send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org' } })
    await send('PUT', '/api/defaults', { body: { limits: [] } })
    await send('PUT', '/api/defaults', { body: { limits: [{ name: 'rpm', capacity: 1, refill_rate: 1 }] } })
    expect(changes).toContainEqual({ entityId: 'org' })
    expect(changes.at(-1)).toEqual({ all: true })
  })
})

const begun = (): ResponseContext => ({
  requestId: 'req_1',
  nodeId: 'node-7',
  crossOrigin: { allowed: 'https://app.example', exposed: 'x-request-id,retry-after', varies: true },
  completed: undefined,
})

const OWN = { 'retry-after': '3', 'cache-control': 'no-cache', 'x-request-id': 'another' }

/** The same response from a route without this function. */
const otherwise = (responseContext: ResponseContext): Response => {
  const response = Response.json({ a: 1 }, { status: 429, headers: OWN })
  completeResponse(response, responseContext)
  return response
}

describe('a JSON response', () => {
  test('is the same as one completed by middleware', async () => {
    const [whole, completed] = [
      respond(begun(), { status: 429, headers: { ...OWN }, body: { a: 1 } }),
      otherwise(begun()),
    ]
    expect([...whole.headers]).toEqual([...completed.headers])
    expect(whole.status).toBe(completed.status)
    expect(await whole.text()).toBe(await completed.text())
  })

  test('keeps its own headers, except those decided by the request', () => {
    const { headers } = respond(begun(), { status: 200, headers: { ...OWN }, body: {} })
    expect(headers.get('cache-control')).toBe('no-cache')
    expect(headers.get('x-request-id')).toBe('req_1')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.has('x-frame-options')).toBe(false)
  })

  test('is sent without a read of its headers, which would cost the server its fast path', () => {
    const responseContext = begun()
    const response = respond(responseContext, { status: 200, headers: {}, body: {} })
    Object.defineProperty(response, 'headers', {
      get: () => {
        throw new Error('looked at')
      },
    })
    completeResponse(response, responseContext)
  })
})

test('a response with a Vary header varies by the origin as well', () => {
  const responseContext = begun()
  const response = new Response('a', { headers: { vary: 'Accept-Encoding' } })
  completeResponse(response, responseContext)
  expect(response.headers.get('vary')).toBe('Accept-Encoding, Origin')
})
