import { expect, test } from 'vitest'
import { createTally, errorsOf, requestsOf } from '../../../bin/load/tally.ts'

test('a tally counts results by node and by key', () => {
  const tally = createTally(2, 3)
  tally.responded({ node: 0, key: 0 }, 200, 1)
  tally.responded({ node: 1, key: 0 }, 429, 2)
  tally.responded({ node: 1, key: 2 }, 503, 3)
  tally.responded({ node: 1, key: 2 }, 302, 3)
  tally.failed({ node: 1, key: 2 }, 'ECONNREFUSED')
  const failed = { http_503: 1, http_302: 1, ECONNREFUSED: 1 }
  expect(tally.counts()).toMatchObject({
    byNode: [
      { success: 1, throttled: 0, errors: {} },
      { success: 0, throttled: 1, errors: failed },
    ],
    byKey: [
      { success: 1, throttled: 1, errors: {} },
      { success: 0, throttled: 0, errors: {} },
      { success: 0, throttled: 0, errors: failed },
    ],
    latencyUs: { greatest: 3000 },
  })
  expect([requestsOf(tally.total()), errorsOf(tally.total())]).toEqual([5, 3])
})

test('a tally adds the counts of other processes', () => {
  const one = createTally(1, 2)
  one.responded({ node: 0, key: 0 }, 200, 1)
  one.failed({ node: 0, key: 1 }, 'timeout')
  const other = createTally(1, 2)
  other.responded({ node: 0, key: 1 }, 200, 9)
  other.failed({ node: 0, key: 1 }, 'timeout')
  const sum = createTally(1, 2)
  for (const { counts } of [one, other]) sum.add(structuredClone(counts()))
  expect(sum.counts()).toMatchObject({
    byNode: [{ success: 2, throttled: 0, errors: { timeout: 2 } }],
    byKey: [
      { success: 1, throttled: 0, errors: {} },
      { success: 1, throttled: 0, errors: { timeout: 2 } },
    ],
    latencyUs: { greatest: 9000 },
  })
  expect(() => createTally(1, 1).add(sum.counts())).toThrow(RangeError)
})
