import { expect, test } from 'vitest'
import { backOffMs } from '../../../bin/workers/worker-pool.ts'

test('waits twice as long after each early end, and half a minute at most', () => {
  expect([1, 2, 3, 7, 8, 1000].map(backOffMs)).toEqual([250, 500, 1000, 16_000, 30_000, 30_000])
})
