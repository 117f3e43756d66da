import { describe, expect, test } from 'vitest'
import { neverReasons } from '../../dashboard/try-it/denial-notice.tsx'
import { headerGroups } from '../../dashboard/try-it/results-card.tsx'
import { countsText, EMPTY_TALLY, MAX_OUTCOMES, withOutcomes, withRun } from '../../dashboard/try-it/run.ts'
import { type Outcome, readResponse } from '../../dashboard/try-it/send-chat.ts'
import { byOwner, isRefilling, type LimitState } from '../../dashboard/try-it/watched-limits.ts'

const HEADERS = new Headers({ 'retry-after': '6' })
const read = (status: number, body: unknown) =>
  readResponse(status, HEADERS, typeof body === 'string' ? body : JSON.stringify(body))

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

describe('the response to a chat', () => {
  test('is allowed, with its usage', () => {
    expect(read(200, { usage: USAGE })).toMatchObject({
      kind: 'allowed',
      status: 200,
      headers: [['retry-after', '6']],
      usage: { prompt: 8, completion: 50 },
      denial: undefined,
    })
  })

  test('has its usage at the end of a stream', () => {
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
      'in the format of OpenAI',
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

  test('can never pass without a retry time', () => {
    const never = { message: 'Too large', retry_after_seconds: null, violations: [] }
    expect(read(429, never).denial?.retryAfterSeconds).toBeNull()
  })

  test('has failed if no limit denied it', () => {
    expect(read(429, { error: 'too_many_failures', message: 'Too many' }).kind).toBe('failed')
    expect(read(401, { message: 'The API key is not valid' }).kind).toBe('failed')
    expect(read(502, '<html>').body).toBe('<html>')
  })

  test('is truncated if it is long', () => {
    const { body } = read(200, 'x'.repeat(100_000))
    expect(body.length).toBeLessThan(21_000)
    expect(body).toContain('100000 characters in all')
  })
})

const outcome = (number: number, kind: Outcome['kind'] = 'allowed'): Outcome => ({
  number,
  kind,
  status: 200,
  headers: [],
  usage: undefined,
  denial: undefined,
  body: '',
  durationMs: 1,
  endedAtMs: 1,
})

describe('a tally', () => {
  test('has the newest first, in any order of arrival', () => {
    const tally = withOutcomes(withOutcomes(EMPTY_TALLY, [outcome(2), outcome(1)]), [outcome(4), outcome(3)])
    expect(tally.outcomes.map(({ number }) => number)).toEqual([4, 3, 2, 1])
  })

  test('keeps the last 200, and counts all', () => {
    const many = Array.from({ length: 150 }, (_, index) => outcome(index + 1))
    const more = Array.from({ length: 150 }, (_, index) => outcome(index + 151, 'denied'))
    const tally = withOutcomes(withOutcomes(EMPTY_TALLY, many), more)
    expect(tally.outcomes).toHaveLength(MAX_OUTCOMES)
    expect(tally.outcomes.at(-1)?.number).toBe(101)
    expect(tally.counts).toEqual({ allowed: 150, denied: 150, failed: 0 })
  })

  test('drops the denial of the previous run, and counts the new run separately', () => {
    const before = withOutcomes(EMPTY_TALLY, [outcome(1, 'denied')])
    expect(before.denied?.number).toBe(1)
    const after = withOutcomes(withRun(before), [outcome(2)])
    expect(after).toMatchObject({ denied: undefined, run: { allowed: 1, denied: 0, failed: 0 } })
    expect(after.counts).toEqual({ allowed: 1, denied: 1, failed: 0 })
  })

  test('is described in words', () => {
    expect(countsText({ allowed: 10, denied: 1, failed: 0 })).toBe(
      '11 requests: 10 allowed, 1 denied, 0 failed',
    )
    expect(countsText({ allowed: 1, denied: 0, failed: 0 })).toMatch(/^1 request: /)
  })
})

const violation = {
  limit_name: 'tpm',
  entity_id: 'key-bob',
  resource: 'gpt-4',
  available: 830,
  requested: 5008,
  capacity: 1000,
  retry_after_seconds: null,
}

const noMeter = () => undefined

test('explains why a request can never pass, by the limits that no wait helps', () => {
  const curable = { ...violation, limit_name: 'rpm', retry_after_seconds: 5 }
  expect(neverReasons([curable, violation], noMeter)).toEqual([
    'It requests 5,008, but tpm of key-bob allows at most 1,000.',
  ])
  const kept = { ...violation, entity_id: 'POLICY:MODEL_TIER:free', requested: 900 }
  expect(neverReasons([kept], noMeter)[0]).toMatch(
    /900.* tpm of MODEL_TIER free .*reserved for higher priorities/,
  )
})

test('explains why a request can never pass in dollars for money', () => {
  const budget = { ...violation, limit_name: 'budget', requested: 2_500_000, capacity: 1_000_000 }
  expect(neverReasons([budget], () => 'cost_usd_micros')).toEqual([
    'It requests $2.50, but budget of key-bob allows at most $1.00.',
  ])
})

test('explains that a request can never pass because a limit is paused', () => {
  expect(neverReasons([{ ...violation, available: 0, capacity: 0 }], noMeter)).toEqual([
    'tpm of key-bob is paused: its size is 0.',
  ])
})

test('sorts headers about limits first, by name', () => {
  const headers = [
    ['x-request-id', '1'],
    ['x-zael-degraded', 'true'],
    ['ratelimit', '"rpm";r=1'],
    ['content-type', 'application/json'],
    ['retry-after', '6'],
  ] as const
  const { limits, others } = headerGroups(headers)
  expect(limits.map(([name]) => name)).toEqual(['ratelimit', 'retry-after', 'x-zael-degraded'])
  expect(others.map(([name]) => name)).toEqual(['content-type', 'x-request-id'])
})

const limit = (entity_id: string, limit_name: string, used = 0, algorithm = 'token_bucket'): LimitState => ({
  entity_id,
  limit_name,
  algorithm,
  used,
  resource: 'gpt-4',
  capacity: 10,
  available: 10 - used,
  reset_after_seconds: 0,
  source: 'entity:_default_',
})

test('groups limits by owner, those of the caller first', () => {
  const owned = byOwner([limit('b', 'rpm'), limit('a', 'rpm'), limit('b', 'tpm')])
  expect(owned.map(({ owner, limits }) => [owner, limits.length])).toEqual([
    ['b', 2],
    ['a', 1],
  ])
})

test('only token buckets that are not full are refilling', () => {
  expect(isRefilling(byOwner([limit('a', 'rpm'), limit('P', 'rph', 3, 'sliding_window')]))).toBe(false)
  expect(isRefilling(byOwner([limit('a', 'rpm', 1)]))).toBe(true)
})
