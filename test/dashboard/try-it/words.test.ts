import { expect, test } from 'vitest'
import { neverReasons } from '../../../dashboard/try-it/denial-notice.tsx'
import { headerGroups } from '../../../dashboard/try-it/results-card.tsx'
import { byOwner, isFilling, type LimitState } from '../../../dashboard/try-it/watched-limits.ts'

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

test('why a request can never pass names the limits that no waiting cures', () => {
  const curable = { ...violation, limit_name: 'rpm', retry_after_seconds: 5 }
  expect(neverReasons([curable, violation], noMeter)).toEqual([
    'It requests 5,008, but tpm of key-bob allows at most 1,000.',
  ])
  const kept = { ...violation, entity_id: 'POLICY:MODEL_TIER:free', requested: 900 }
  expect(neverReasons([kept], noMeter)[0]).toMatch(
    /900.* tpm of MODEL_TIER free .*reserved for higher priorities/,
  )
})

test('why a request can never pass is in dollars where it is about money', () => {
  const budget = { ...violation, limit_name: 'budget', requested: 2_500_000, capacity: 1_000_000 }
  expect(neverReasons([budget], () => 'cost_usd_micros')).toEqual([
    'It requests $2.50, but budget of key-bob allows at most $1.00.',
  ])
})

test('why a request can never pass says that a limit is paused', () => {
  expect(neverReasons([{ ...violation, available: 0, capacity: 0 }], noMeter)).toEqual([
    'tpm of key-bob is paused: its size is 0.',
  ])
})

test('headers about limits stand first, by their names', () => {
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

test('limits are gathered by who has them, the caller’s own first', () => {
  const owned = byOwner([limit('b', 'rpm'), limit('a', 'rpm'), limit('b', 'tpm')])
  expect(owned.map(({ owner, limits }) => [owner, limits.length])).toEqual([
    ['b', 2],
    ['a', 1],
  ])
})

test('only buckets that are not full fill by themselves from second to second', () => {
  expect(isFilling(byOwner([limit('a', 'rpm'), limit('P', 'rph', 3, 'sliding_window')]))).toBe(false)
  expect(isFilling(byOwner([limit('a', 'rpm', 1)]))).toBe(true)
})
