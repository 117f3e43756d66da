import { describe, expect, test } from 'vitest'
import { completeResponse, type ResponseContext, respond } from '../../src/http/response.ts'

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
