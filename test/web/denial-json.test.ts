import { expect, test } from 'vitest'
import { entityBucket } from '../../src/core/bucket/bucket-store.ts'
import type { Denied, LimitState, Violation } from '../../src/core/decide/decision.ts'
import { flatDenial, secondsOf } from '../../src/web/denial-json.ts'

const violation = (name: string, entityId: string, retryAfterNs: bigint | null): Violation => {
  const size = { algorithm: 'token_bucket', capacity: 10, refillRate: 1 } as const
  const state: LimitState = {
    bucket: entityBucket(entityId, 'gpt-4'),
    entityId,
    resource: 'gpt-4',
    limit: { name, meter: 'requests', size },
    capacity: 10,
    available: 0,
    used: 10,
    resetNs: 0n,
    windowNs: 0n,
    source: 'entity',
    own: true,
  }
  return { state, meter: 'requests', requested: 1, retryAfterNs }
}

const denied = (violations: readonly Violation[], retryAfterNs: bigint | null): Denied => ({
  allowed: false,
  degraded: false,
  limits: [],
  violations,
  reported: [],
  retryAfterNs,
  unavailable: false,
})

test('a denial lists each limit once, and every violation', () => {
  const violations = [violation('rpm', 'key-bob', 5_200_000_000n), violation('rpm', 'org', 1_000_000_000n)]
  expect(flatDenial(denied(violations, 5_200_000_000n))).toEqual({
    error: 'rate_limit_exceeded',
    message: 'Rate limit exceeded for limits: rpm',
    retry_after_seconds: 5.2,
    violations: [
      {
        limit_name: 'rpm',
        entity_id: 'key-bob',
        resource: 'gpt-4',
        available: 0,
        requested: 1,
        capacity: 10,
        retry_after_seconds: 5.2,
      },
      expect.objectContaining({ entity_id: 'org', retry_after_seconds: 1 }),
    ],
  })
})

test('a request that can never pass has no wait', () => {
  expect(flatDenial(denied([violation('rpm', 'a', null)], null))).toMatchObject({
    retry_after_seconds: null,
    violations: [{ retry_after_seconds: null }],
  })
})

test.each([
  [0n, 0],
  [1n, 0.001],
  [1_000_000n, 0.001],
  [1_000_001n, 0.002],
  [59_999_999_999n, 60],
])('%s ns are %s s: never a wait that is too short', (ns, seconds) => {
  expect(secondsOf(ns)).toBe(seconds)
})
