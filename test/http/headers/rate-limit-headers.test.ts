import { describe, expect, it } from 'vitest'
import { RATE_LIMIT_HEADERS, rateLimitHeaders } from '../../../src/http/headers/rate-limit-headers.ts'
import { allowedBy, deniedBy, MINUTE, SECOND, stateOf, tpm, violationOf } from './limit-states.ts'

const NOW = 1_800_000_000n * SECOND
const DAY = 86_400n * SECOND

describe("OpenAI's headers", () => {
  it('say limit, rest and the time until full', () => {
    const headers = rateLimitHeaders(
      allowedBy(stateOf({ capacity: 60, available: 59 }), tpm({ capacity: 1000, available: 856 })),
      NOW,
    )
    expect(headers).toMatchObject({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '856',
      'x-ratelimit-reset-tokens': '8.64s',
    })
  })

  it.each([
    [
      'the one with the least share left, though it holds more',
      { capacity: 100, available: 20 },
      { capacity: 10, available: 5 },
      '100',
    ],
    [
      "the caller's own where the shares are equal",
      { capacity: 10, available: 5 },
      { capacity: 100, available: 50 },
      '100',
    ],
  ])('are of %s', (_, parent, own, limit) => {
    const limits = [stateOf({ ...parent, own: false, entityId: 'proj-demo' }), stateOf(own)]
    expect(rateLimitHeaders(allowedBy(...limits), NOW)['x-ratelimit-limit-requests']).toBe(limit)
  })

  it('speak of input or output tokens where nothing limits their sum', () => {
    const limits = [
      stateOf({ name: 'itpm', meter: 'input_tokens', capacity: 20_000, available: 19_000 }),
      stateOf({ name: 'otpm', meter: 'output_tokens', capacity: 10_000, available: 400 }),
    ]
    expect(rateLimitHeaders(allowedBy(...limits), NOW)['x-ratelimit-remaining-tokens']).toBe('400')
  })
})

describe('X-RateLimit', () => {
  it("is of the caller's own limits, whatever its parents have", () => {
    const headers = rateLimitHeaders(
      allowedBy(
        stateOf({ capacity: 50, available: 0, own: false, entityId: 'proj-demo' }),
        tpm({ capacity: 10_000, available: 1, own: false, entityId: 'proj-demo' }),
        stateOf({ capacity: 10, available: 9, resetNs: 1_500_000_001n }),
        tpm({ capacity: 1000, available: 700 }),
      ),
      NOW,
    )
    expect(headers).toMatchObject({
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '9',
      'x-ratelimit-limit-tpm': '1000',
      'x-ratelimit-remaining-tpm': '700',
      'x-ratelimit-reset': '2027-01-15T08:00:01.501Z',
    })
  })

  it('names the last of all years where a debt lasts longer than dates go', () => {
    const resetNs = BigInt(Number.MAX_SAFE_INTEGER) * 1000n * SECOND
    const headers = rateLimitHeaders(allowedBy(stateOf({ capacity: 10, available: 0, resetNs })), NOW)
    expect(headers['x-ratelimit-reset']).toBe('9999-12-31T23:59:59.999Z')
  })

  it('is silent of what is not limited', () => {
    const headers = rateLimitHeaders(allowedBy(tpm({ capacity: 1000, available: 700 })), NOW)
    expect(headers['x-ratelimit-limit']).toBeUndefined()
    expect(headers['x-ratelimit-reset']).toBe('2027-01-15T08:00:18.000Z')
  })
})

describe('retry headers', () => {
  const state = stateOf({ capacity: 10, available: 0 })
  it.each([
    ['round up', [violationOf(state, 1, 5_200_000_001n)], { 'retry-after-ms': '5201', 'retry-after': '6' }],
    ['say at least a second', [violationOf(state, 1, 1n)], { 'retry-after-ms': '1', 'retry-after': '1' }],
    [
      'say at least a second also where the wait is over',
      [violationOf(state, 1, 0n)],
      { 'retry-after-ms': '0', 'retry-after': '1' },
    ],
    ['tell to give up what can never pass', [violationOf(state, 11, null)], { 'x-should-retry': 'false' }],
    [
      'tell to give up a quota, and when it would pass',
      [violationOf(stateOf({ name: 'rpd', capacity: 10, available: 0, windowNs: DAY }), 1, 8640n * SECOND)],
      { 'retry-after-ms': '8640000', 'retry-after': '8640', 'x-should-retry': 'false' },
    ],
    [
      'tell to give up a budget',
      [
        violationOf(
          stateOf({ name: 'usd', meter: 'cost_usd_micros', capacity: 10, available: 0 }),
          1,
          SECOND,
        ),
      ],
      { 'retry-after-ms': '1000', 'retry-after': '1', 'x-should-retry': 'false' },
    ],
  ])('%s', (_, violations, expected) => {
    const names = ['retry-after-ms', 'retry-after', 'x-should-retry']
    const headers = Object.entries(rateLimitHeaders(deniedBy(violations), NOW))
    expect(Object.fromEntries(headers.filter(([name]) => names.includes(name)))).toEqual(expected)
  })

  it('are not given with an answer that is allowed, or where the store is away', () => {
    const away = { ...deniedBy([]), degraded: true, unavailable: true, retryAfterNs: SECOND }
    expect(rateLimitHeaders(allowedBy(state), NOW)['retry-after']).toBeUndefined()
    expect(rateLimitHeaders(away, NOW)).toEqual({ 'x-zael-degraded': 'true' })
  })
})

it('lists every header that it makes', () => {
  const denied = {
    ...deniedBy(
      [violationOf(stateOf({ name: 'rpd', capacity: 1, available: 0, windowNs: DAY }), 1, MINUTE)],
      [tpm({ capacity: 9, available: 1 })],
    ),
    degraded: true,
  }
  expect(Object.keys(rateLimitHeaders(denied, NOW)).toSorted()).toEqual(RATE_LIMIT_HEADERS.toSorted())
})
