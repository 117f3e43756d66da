import { expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { createSharing, effectiveLimits } from '../../../src/core/resolve/effective-limits.ts'
import type { ApplicableBucket } from '../../../src/core/resolve/resolution.ts'
import { lruCaches } from '../../../src/platform/runtime.ts'

const plan = (entityId: string, capacity: number): ApplicableBucket => {
  const limits = parseLimits([{ name: 'rpm', capacity, refill_rate: 1 }], 'limits')
  const layers = [{ source: 'entity:_default_', resource: '_default_', limits, version: 1n, isOwn: true }]
  return {
    id: entityBucket(entityId, '_default_'),
    entityId,
    resource: '_default_',
    limits: effectiveLimits(layers, 1n),
    layers,
    isOwn: true,
  }
}

test('limits of one size share one algorithm, and others do not', () => {
  const share = createSharing(lruCaches)
  const [alice, bob, carol] = [plan('alice', 60), plan('bob', 60), plan('carol', 61)].map(share)
  expect(alice?.limits[0]?.algorithm).toBe(bob?.limits[0]?.algorithm)
  expect(carol?.limits[0]?.algorithm.capacity).toBe(61)
})

test('equal lists of the same limits are one list', () => {
  const share = createSharing(lruCaches)
  const { limits, ...alice } = plan('alice', 60)
  const listOf = (version: bigint, headroom = 0) =>
    share({ ...alice, limits: limits.map((effective) => ({ ...effective, version, headroom })) }).limits
  const first = listOf(1n)
  expect(listOf(1n)).toBe(first)
  expect(listOf(2n).map(({ version }) => version)).toEqual([2n])
  expect(listOf(1n, 0.5).map(({ headroom }) => headroom)).toEqual([0.5])
  const two = [...first, ...share(plan('bob', 70)).limits]
  expect(share({ ...alice, limits: two }).limits).toHaveLength(2)
  expect(share({ ...alice, limits: first }).limits).toEqual(first)
})

test('nothing else of a plan changes', () => {
  const share = createSharing(lruCaches)
  const { limits, ...rest } = plan('alice', 60)
  const shared = share({ limits, ...rest })
  expect(shared).toMatchObject(rest)
  expect(
    shared.limits.map(({ algorithm, ...effective }) => ({ ...effective, text: algorithm.text })),
  ).toEqual(limits.map(({ algorithm, ...effective }) => ({ ...effective, text: algorithm.text })))
})
