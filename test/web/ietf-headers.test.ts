import { type InnerList, type Item, parseList } from 'structured-headers'
import { describe, expect, test } from 'vitest'
import type { LimitState, Violation } from '../../src/core/decide/decision.ts'
import { addIetf, type Headers } from '../../src/web/rate-limit-headers.ts'
import { deniedBy, policyStateOf, SECOND, stateOf, tpm, violationOf } from './limit-states.ts'

const ietfHeaders = (limits: readonly LimitState[], violations: readonly Violation[]): Headers => {
  const headers: Headers = {}
  addIetf(headers, limits, violations)
  return headers
}

/** Each item of a structured list as `[value, parameters]`. */
const parsed = (header: string | undefined) =>
  parseList(header ?? '').map(([value, parameters]: Item | InnerList) => [
    value,
    Object.fromEntries(parameters),
  ])

describe('RateLimit-Policy', () => {
  test('has an item for each limit of the caller, with its meter if that is not requests', () => {
    const limits = [
      stateOf({ capacity: 50, available: 50 }),
      tpm({ capacity: 150_000, available: 150_000 }),
      stateOf({ capacity: 500, available: 1, own: false, entityId: 'proj-demo' }),
    ]
    const header = ietfHeaders(limits, [])['ratelimit-policy']
    expect(header).toBe('"rpm";q=50;w=60, "tpm";q=150000;w=60;zael-meter="tokens"')
    expect(parsed(header)).toEqual([
      ['rpm', { q: 50, w: 60 }],
      ['tpm', { q: 150_000, w: 60, 'zael-meter': 'tokens' }],
    ])
  })

  test.each([
    [59_999_999_993n, 60],
    [60_000_000_007n, 60],
    [50_000_000n, 1],
  ])('has for the window of %d ns %d whole seconds', (windowNs, w) => {
    expect(
      parsed(ietfHeaders([stateOf({ capacity: 7, available: 7, windowNs })], [])['ratelimit-policy']),
    ).toEqual([['rpm', { q: 7, w }]])
  })

  test('stays within the fifteen digits of an integer', () => {
    const limits = [stateOf({ capacity: Number.MAX_SAFE_INTEGER, available: 1 })]
    expect(parsed(ietfHeaders(limits, [])['ratelimit-policy'])).toEqual([
      ['rpm', { q: 999_999_999_999_999, w: 60 }],
    ])
  })

  test('distinguishes the limit over all resources from one of the same name', () => {
    const limits = [
      stateOf({ capacity: 5, available: 5 }),
      stateOf({ capacity: 9, available: 9, resource: '_total_' }),
    ]
    expect(parsed(ietfHeaders(limits, []).ratelimit)).toEqual([
      ['rpm', { r: 5 }],
      ['total/rpm', { r: 9 }],
    ])
  })
})

describe('RateLimit', () => {
  test('has no window while something is available', () => {
    expect(ietfHeaders([stateOf({ capacity: 50, available: 49 })], []).ratelimit).toBe('"rpm";r=49')
  })

  test('has the wait of the denied request if nothing is available', () => {
    const denied = deniedBy([violationOf(stateOf({ capacity: 10, available: 0 }), 3, 17_000_000_001n)])
    expect(ietfHeaders(denied.limits, denied.violations).ratelimit).toBe('"rpm";r=0;t=18')
  })

  test('has the time of the first token if nothing is available and nothing was denied', () => {
    const state = stateOf({ capacity: 10, available: 0, nextNs: 5n * SECOND + 1n })
    expect(parsed(ietfHeaders([state], []).ratelimit)).toEqual([['rpm', { r: 0, t: 6 }]])
    const larger = violationOf(state, 11, null)
    expect(parsed(ietfHeaders([state], [larger]).ratelimit)).toEqual([['rpm', { r: 0, t: 6 }]])
  })

  test('has no time if nothing will ever refill', () => {
    expect(ietfHeaders([stateOf({ capacity: 1, available: 0 })], []).ratelimit).toBe('"rpm";r=0')
  })

  test('has the end of a fixed window, whatever is available', () => {
    const daily = stateOf({ name: 'rpd', capacity: 10, available: 4, endsInNs: 90n * SECOND + 1n })
    expect(ietfHeaders([daily], []).ratelimit).toBe('"rpd";r=4;t=91')
    const used = { ...daily, available: 0 }
    expect(ietfHeaders([used], [violationOf(used, 1, 90n * SECOND)]).ratelimit).toBe('"rpd";r=0;t=91')
  })

  test('omits limits that only warn', () => {
    const states = (['warn', 'shadow', 'enforce'] as const).map((mode) =>
      stateOf({ name: mode, mode, capacity: 10, available: 4 }),
    )
    expect(ietfHeaders(states, [])).toEqual({
      'ratelimit-policy': '"enforce";q=10;w=60',
      ratelimit: '"enforce";r=4',
    })
  })

  test('names a denying limit of another entity by its owner', () => {
    const parents = { capacity: 7, available: 0, own: false, entityId: 'proj-demo' }
    const denied = deniedBy(
      [
        violationOf(stateOf(parents), 1, 17n * SECOND),
        violationOf(stateOf({ ...parents, resource: '_total_' }), 1, 18n * SECOND),
        violationOf(policyStateOf('GLOBAL', { name: 'rph', capacity: 9, available: 0 }), 1, 19n * SECOND),
      ],
      [
        stateOf({ capacity: 5, available: 4 }),
        stateOf({ capacity: 8, available: 8, own: false, entityId: 'org' }),
      ],
    )
    const headers = ietfHeaders(denied.limits, denied.violations)
    expect(parsed(headers.ratelimit)).toEqual([
      ['rpm', { r: 4 }],
      ['proj-demo/rpm', { r: 0, t: 17 }],
      ['proj-demo/total/rpm', { r: 0, t: 18 }],
      ['GLOBAL/rph', { r: 0, t: 19 }],
    ])
    expect(parsed(headers['ratelimit-policy'])).toHaveLength(4)
  })

  test('is absent if the caller has no limit of its own', () => {
    expect(ietfHeaders([stateOf({ capacity: 10, available: 0, own: false })], [])).toEqual({})
  })
})
