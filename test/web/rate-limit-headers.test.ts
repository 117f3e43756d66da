import { describe, expect, test } from 'vitest'
import type { Decision } from '../../src/core/decide/decision.ts'
import type { Meter } from '../../src/core/model/meter.ts'
import {
  addUnpriced,
  addWarning,
  goDuration,
  type Headers,
  messagesHeaders,
  modelRouteHeaders,
  RATE_LIMIT_HEADERS,
} from '../../src/web/rate-limit-headers.ts'
import {
  allowedBy,
  deniedBy,
  MINUTE,
  policyStateOf,
  SECOND,
  stateOf,
  tpm,
  violationOf,
} from './limit-states.ts'

const NOW = 1_800_000_000n * SECOND

const DAY = 86_400n * SECOND

/** 2026-01-01T00:00:00Z */
const Y2026 = 1_767_225_600n * SECOND

const own = (capacity: number, available: number) => stateOf({ capacity, available })

const parent = (capacity: number, available: number, entityId = 'proj-demo') =>
  stateOf({ capacity, available, entityId, own: false })

const policy = (capacity: number, available: number) => policyStateOf('GLOBAL', { capacity, available })

describe("OpenAI's headers", () => {
  test('contain the limit, the available amount and the time until full', () => {
    const headers = modelRouteHeaders(
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

  test.each([
    [
      "the caller's own with the least share left",
      [own(10, 5), own(100, 20), parent(7, 0), policy(6, 0)],
      '100',
    ],
    ['the smaller of its own if the shares are equal', [own(100, 50), own(10, 5)], '10'],
    ['a paused one of its own', [own(10, 5), own(0, 0)], '0'],
    ["the nearest parent's", [parent(70, 60), parent(7, 6), parent(5, 0, 'org'), policy(6, 0)], '7'],
    ['nothing if only policies limit', [policy(6, 0)], undefined],
    [
      'nothing if its own only warns',
      [{ ...own(1, 0), limit: { ...own(1, 0).limit, mode: 'warn' as const } }],
      undefined,
    ],
  ])('describe %s', (_, limits, limit) => {
    const headers = modelRouteHeaders(allowedBy(...limits), NOW)
    expect(headers['x-ratelimit-limit-requests']).toBe(limit)
    expect(headers['x-ratelimit-limit']).toBe(limit)
  })

  test.each([
    ["a parent's that denied", parent(7, 0), '7'],
    ["a policy's that denied", policy(6, 0), '6'],
    ['its own that denied, though another has less left', own(30, 30), '30'],
  ])('describe %s, and for other meters the same limits as when allowed', (_, state, limit) => {
    const others = [own(10, 0), tpm({ capacity: 500, available: 400 }), parent(8, 8, 'org')]
    const headers = modelRouteHeaders(deniedBy([violationOf(state, 31, 6n * SECOND)], others), NOW)
    expect(headers).toMatchObject({
      'x-ratelimit-limit-requests': limit,
      'x-ratelimit-limit': limit,
      'x-ratelimit-limit-tokens': '500',
      'x-ratelimit-limit-tpm': '500',
    })
  })

  test('describe the denial with the longest wait, and one that never passes before all others', () => {
    const [short, long, never] = [own(3, 0), parent(7, 0), policy(6, 0)]
    const waits = [violationOf(short, 1, SECOND), violationOf(long, 1, MINUTE)]
    expect(modelRouteHeaders(deniedBy(waits), NOW)['x-ratelimit-limit-requests']).toBe('7')
    const all = [...waits, violationOf(never, 9, null)]
    expect(modelRouteHeaders(deniedBy(all), NOW)['x-ratelimit-limit-requests']).toBe('6')
  })

  test("describe the parent's limit on tokens beside the caller's own", () => {
    const parents = tpm({ capacity: 9000, available: 8000, own: false, entityId: 'proj-demo' })
    const headers = modelRouteHeaders(allowedBy(tpm({ capacity: 1000, available: 700 }), parents), NOW)
    expect(headers).toMatchObject({
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-limit-project-tokens': '9000',
      'x-ratelimit-remaining-project-tokens': '8000',
      'x-ratelimit-reset-project-tokens': '6.667s',
    })
    expect(modelRouteHeaders(allowedBy(parents), NOW)['x-ratelimit-limit-tokens']).toBe('9000')
  })

  test('describe input or output tokens if nothing limits their sum', () => {
    const limits = [
      stateOf({ name: 'itpm', meter: 'input_tokens', capacity: 20_000, available: 19_000 }),
      stateOf({ name: 'otpm', meter: 'output_tokens', capacity: 10_000, available: 400 }),
    ]
    expect(modelRouteHeaders(allowedBy(...limits), NOW)['x-ratelimit-remaining-tokens']).toBe('400')
  })
})

describe('X-RateLimit', () => {
  test("describes the caller's own limits, whatever its parents have", () => {
    const headers = modelRouteHeaders(
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

  test('has the last of all years if a debt lasts beyond the range of dates', () => {
    const resetNs = BigInt(Number.MAX_SAFE_INTEGER) * 1000n * SECOND
    const headers = modelRouteHeaders(allowedBy(stateOf({ capacity: 10, available: 0, resetNs })), NOW)
    expect(headers['x-ratelimit-reset']).toBe('9999-12-31T23:59:59.999Z')
  })

  test('is absent for unlimited meters', () => {
    const headers = modelRouteHeaders(allowedBy(tpm({ capacity: 1000, available: 700 })), NOW)
    expect(headers['x-ratelimit-limit']).toBeUndefined()
    expect(headers['x-ratelimit-reset']).toBe('2027-01-15T08:00:18.000Z')
  })
})

describe('retry headers', () => {
  const state = stateOf({ capacity: 10, available: 0 })
  test.each([
    ['round up', [violationOf(state, 1, 5_200_000_001n)], { 'retry-after-ms': '5201', 'retry-after': '6' }],
    ['contain at least a second', [violationOf(state, 1, 1n)], { 'retry-after-ms': '1', 'retry-after': '1' }],
    [
      'contain at least a second even if the wait is over',
      [violationOf(state, 1, 0n)],
      { 'retry-after-ms': '0', 'retry-after': '1' },
    ],
    [
      'disable retries for what can never pass',
      [violationOf(state, 11, null)],
      { 'x-should-retry': 'false' },
    ],
    [
      'disable retries for a quota, and contain the wait',
      [violationOf(stateOf({ name: 'rpd', capacity: 10, available: 0, windowNs: DAY }), 1, 8640n * SECOND)],
      { 'retry-after-ms': '8640000', 'retry-after': '8640', 'x-should-retry': 'false' },
    ],
    [
      'disable retries for a budget',
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
    const headers = Object.entries(modelRouteHeaders(deniedBy(violations), NOW))
    expect(Object.fromEntries(headers.filter(([name]) => names.includes(name)))).toEqual(expected)
  })

  test('are absent from an allowed response, and while the store is unavailable', () => {
    const unavailable = { ...deniedBy([]), degraded: true, unavailable: true, retryAfterNs: SECOND }
    expect(modelRouteHeaders(allowedBy(state), NOW)['retry-after']).toBeUndefined()
    expect(modelRouteHeaders(unavailable, NOW)).toEqual({ 'x-zael-degraded': 'true' })
  })
})

test('the list contains every generated header', () => {
  const denied = {
    ...deniedBy(
      [violationOf(stateOf({ name: 'rpd', capacity: 1, available: 0, windowNs: DAY }), 1, MINUTE)],
      [
        tpm({ capacity: 9, available: 1 }),
        tpm({ capacity: 9, available: 1, own: false, entityId: 'proj-demo' }),
      ],
    ),
    degraded: true,
  }
  const names = new Set([...keysOf(modelRouteHeaders(denied, NOW)), ...keysOf(messagesHeaders(denied, NOW))])
  const parts = [...keysOf(messagesHeaders(allowedBy(part('input_tokens'), part('output_tokens')), NOW))]
  expect([...new Set([...names, ...parts])].toSorted()).toEqual(RATE_LIMIT_HEADERS.toSorted())
})

const part = (meter: Meter) => tpm({ name: meter, meter, capacity: 9, available: 1 })

const keysOf = Object.keys

describe("Anthropic's headers", () => {
  const rpm = stateOf({ capacity: 10, available: 9, resetNs: 6n * SECOND })

  test('are a triple for each meter, with the time at which it is full again', () => {
    const state = tpm({ capacity: 1000, available: 0, resetNs: 1_500_000_000n })
    const parents = tpm({ capacity: 5, available: 5, own: false, entityId: 'proj-demo' })
    expect(messagesHeaders(allowedBy(rpm, state, parents), Y2026 + 1n)).toMatchObject({
      'anthropic-ratelimit-requests-limit': '10',
      'anthropic-ratelimit-requests-remaining': '9',
      'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:07Z',
      'anthropic-ratelimit-tokens-limit': '1000',
      'anthropic-ratelimit-tokens-remaining': '0',
      'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:02Z',
    })
  })

  test("describe the limit that denied, and contain none of OpenAI's", () => {
    const parents = stateOf({ capacity: 50, available: 0, own: false, entityId: 'proj-demo' })
    const headers = messagesHeaders(deniedBy([violationOf(parents, 1, SECOND)], [rpm]), NOW)
    expect(headers['anthropic-ratelimit-requests-limit']).toBe('50')
    expect(headers['retry-after']).toBe('1')
    expect(keysOf(headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([])
  })
})

describe('x-should-retry', () => {
  test.each([
    [60n * SECOND, undefined, undefined],
    [60n * SECOND + 1n, undefined, 'false'],
    [1672n * SECOND, 3600, undefined],
    [3n * SECOND, 2, 'false'],
  ])('after %i ns with a maximum of %s s is %s', (wait, maximum, expected) => {
    const denied = deniedBy([violationOf(stateOf({ capacity: 10, available: 0 }), 1, wait)])
    const headers = modelRouteHeaders(denied, NOW, maximum)
    expect(headers['x-should-retry']).toBe(expected)
    expect(headers['retry-after']).toBeDefined()
  })
})

const warningHeader = (decision: Decision): Headers => {
  const headers: Headers = {}
  addWarning(headers, decision)
  return headers
}

describe('X-RateLimit-Warning', () => {
  test("names the caller's own limits that are nearly used up", () => {
    const near = stateOf({ capacity: 10, available: 2 })
    const far = stateOf({ name: 'tpm', capacity: 10, available: 3 })
    const parents = stateOf({ name: 'rpd', capacity: 10, available: 0, own: false })
    expect(warningHeader(allowedBy(near, far, parents))).toEqual({
      'x-ratelimit-warning': 'rpm;used=8;limit=10',
    })
    expect(warningHeader(allowedBy(far, parents))).toEqual({})
  })

  test('names what would have denied, and omits shadow limits', () => {
    const warning = stateOf({ mode: 'warn', capacity: 10, available: 5 })
    const shadow = stateOf({ name: 'tpm', mode: 'shadow', capacity: 10, available: 0 })
    const reported = [violationOf(warning, 6, 1n), violationOf(shadow, 1, 1n)]
    expect(warningHeader({ ...allowedBy(warning, shadow), reported })).toEqual({
      'x-ratelimit-warning': 'rpm;used=5;limit=10',
    })
  })
})

test('a budget that is not applied is named once per limit, and not if it is a shadow', () => {
  const budget = { meter: 'cost_usd_micros', name: 'usd', capacity: 10, available: 10 } as const
  const headers: Headers = {}
  addUnpriced(headers, [stateOf(budget), stateOf({ ...budget, mode: 'shadow' }), own(10, 10)], 'a/b')
  expect(headers).toEqual({ 'x-ratelimit-warning': 'usd;not-applied="a/b has no prices"' })
})

const MS = 1_000_000n

describe('a Go duration', () => {
  test.each([
    [0n, '0s'],
    [-5n, '0s'],
    [1n, '1ms'],
    [120n * MS, '120ms'],
    [999n * MS, '999ms'],
    [999n * MS + 1n, '1s'],
    [8640n * MS, '8.64s'],
    [18_642n * MS, '18.642s'],
    [6000n * MS, '6s'],
    [60_000n * MS, '1m0s'],
    [360_000n * MS, '6m0s'],
    [432_000n * MS, '7m12s'],
    [3_600_000n * MS, '1h0m0s'],
    [3_600_500n * MS, '1h0m0.5s'],
    [100_000n * 3_600_000n * MS, '100000h0m0s'],
  ])('of %d ns is %s', (ns, text) => {
    expect(goDuration(ns)).toBe(text)
  })
})
