import { describe, expect, test } from 'vitest'
import { readAnswer } from '../../../dashboard/try-it/send-chat.ts'

const HEADERS = new Headers({ 'retry-after': '6' })
const read = (status: number, body: unknown) =>
  readAnswer(status, HEADERS, typeof body === 'string' ? body : JSON.stringify(body))

const VIOLATION = {
  limit_name: 'rpm',
  entity_id: 'key-bob',
  resource: 'gpt-4',
  available: 0,
  requested: 1,
  capacity: 10,
  retry_after_seconds: 5.2,
}
const USAGE = { prompt_tokens: 8, completion_tokens: 50, total_tokens: 58 }

describe('an answer to a chat', () => {
  test('is allowed, with what it used', () => {
    expect(read(200, { usage: USAGE })).toMatchObject({
      kind: 'allowed',
      status: 200,
      headers: [['retry-after', '6']],
      usage: { prompt: 8, completion: 50 },
      denial: undefined,
    })
  })

  test('says its usage at the end of a stream', () => {
    const chunk = `data: ${JSON.stringify({ choices: [], usage: null })}\n\n`
    const stream = `${chunk}data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`
    expect(read(200, stream)).toMatchObject({
      kind: 'allowed',
      usage: { prompt: 8, completion: 50 },
      body: stream,
    })
    expect(read(200, `${chunk}data: [DONE]\n\n`).usage).toBeUndefined()
  })

  test.each([
    [
      'as OpenAI says it',
      { error: { message: 'Rate limit reached' }, message: 'Exceeded' },
      'Rate limit reached',
    ],
    ['flat', { error: 'rate_limit_exceeded', message: 'Exceeded' }, 'Exceeded'],
  ])('is denied by limits, %s', (_, words, message) => {
    expect(read(429, { ...words, retry_after_seconds: 5.2, violations: [VIOLATION] })).toMatchObject({
      kind: 'denied',
      denial: { message, retryAfterSeconds: 5.2, violations: [VIOLATION] },
    })
  })

  test('can never pass where no wait is named', () => {
    const never = { message: 'Too large', retry_after_seconds: null, violations: [] }
    expect(read(429, never).denial?.retryAfterSeconds).toBeNull()
  })

  test('has failed where no limit said no', () => {
    expect(read(429, { error: 'too_many_failures', message: 'Too many' }).kind).toBe('failed')
    expect(read(401, { message: 'The API key is not valid' }).kind).toBe('failed')
    expect(read(502, '<html>').body).toBe('<html>')
  })

  test('is kept in part where it is long', () => {
    const { body } = read(200, 'x'.repeat(100_000))
    expect(body.length).toBeLessThan(21_000)
    expect(body).toContain('100000 characters in all')
  })
})
