import { describe, expect, test } from 'vitest'
import { type Answering, answerJson, complete } from '../../src/http/response.ts'

const begun = (): Answering => ({
  requestId: 'req_1',
  nodeId: 'node-7',
  crossOrigin: { allowed: 'https://app.example', exposed: 'x-request-id,retry-after', varies: true },
  whole: undefined,
})

const OWN = { 'retry-after': '3', 'cache-control': 'no-cache', 'x-request-id': 'another' }

/** The same answer made by a route that knows nothing of this. */
const otherwise = (answering: Answering): Response => {
  const answer = Response.json({ a: 1 }, { status: 429, headers: OWN })
  complete(answer, answering)
  return answer
}

describe('an answer made whole', () => {
  test('says just what one says that is completed afterwards', async () => {
    const [whole, completed] = [answerJson(begun(), { a: 1 }, 429, { ...OWN }), otherwise(begun())]
    expect([...whole.headers]).toEqual([...completed.headers])
    expect(whole.status).toBe(completed.status)
    expect(await whole.text()).toBe(await completed.text())
  })

  test('keeps what it says itself, but for what the request decides', () => {
    const { headers } = answerJson(begun(), {}, 200, { ...OWN })
    expect(headers.get('cache-control')).toBe('no-cache')
    expect(headers.get('x-request-id')).toBe('req_1')
    expect(headers.get('x-frame-options')).toBe('DENY')
  })

  test('is not asked for its headers any more: that would cost a server its short way', () => {
    const answering = begun()
    const answer = answerJson(answering, {}, 200)
    Object.defineProperty(answer, 'headers', {
      get: () => {
        throw new Error('looked at')
      },
    })
    complete(answer, answering)
  })
})

test('an answer that varies by something already varies by the origin as well', () => {
  const answering = begun()
  const answer = new Response('a', { headers: { vary: 'Accept-Encoding' } })
  complete(answer, answering)
  expect(answer.headers.get('vary')).toBe('Accept-Encoding, Origin')
})
