import { expect, test } from 'vitest'
import { backOffMs } from '../../../bin/workers/worker-pool.ts'

test('the delay doubles after each early end, up to half a minute', () => {
  expect([1, 2, 3, 7, 8, 1000].map(backOffMs)).toEqual([250, 500, 1000, 16_000, 30_000, 30_000])
})
