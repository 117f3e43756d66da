import { describe, expect, test } from 'vitest'
import { completeResponse, type ResponseContext, respondJson } from '../../src/http/response.ts'

const begun = (): ResponseContext => ({
  requestId: 'req_1',
  nodeId: 'node-7',
  crossOrigin: { allowed: 'https://app.example', exposed: 'x-request-id,retry-after', varies: true },
  completed: undefined,
})

const OWN = { 'retry-after': '3', 'cache-control': 'no-cache', 'x-request-id': 'another' }

/** The same answer made by a route that knows nothing of this. */
const otherwise = (responseContext: ResponseContext): Response => {
  const answer = Response.json({ a: 1 }, { status: 429, headers: OWN })
  completeResponse(answer, responseContext)
  return answer
}

describe('an answer made whole', () => {
  test('says just what one says that is completed afterwards', async () => {
    const [whole, completed] = [respondJson(begun(), { a: 1 }, 429, { ...OWN }), otherwise(begun())]
    expect([...whole.headers]).toEqual([...completed.headers])
    expect(whole.status).toBe(completed.status)
    expect(await whole.text()).toBe(await completed.text())
  })

  test('keeps what it says itself, but for what the request decides', () => {
    const { headers } = respondJson(begun(), {}, 200, { ...OWN })
    expect(headers.get('cache-control')).toBe('no-cache')
    expect(headers.get('x-request-id')).toBe('req_1')
    expect(headers.get('x-frame-options')).toBe('DENY')
  })

  test('is not asked for its headers any more: that would cost a server its short way', () => {
    const responseContext = begun()
    const answer = respondJson(responseContext, {}, 200)
    Object.defineProperty(answer, 'headers', {
      get: () => {
        throw new Error('looked at')
      },
    })
    completeResponse(answer, responseContext)
  })
})

test('an answer that varies by something already varies by the origin as well', () => {
  const responseContext = begun()
  const answer = new Response('a', { headers: { vary: 'Accept-Encoding' } })
  completeResponse(answer, responseContext)
  expect(answer.headers.get('vary')).toBe('Accept-Encoding, Origin')
})
