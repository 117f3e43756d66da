import { expect, test } from 'vitest'
import { measureMemory } from '../../../bench/memory/memory-part.ts'

test('measures the memory of a process after one decision per key', async () => {
  const { keys, heapBeforeMiB, heapMiB, rssMiB, mostRssMiB } = await measureMemory(5000)
  expect(keys).toBe(5000)
  expect(heapMiB).toBeGreaterThan(heapBeforeMiB)
  expect(rssMiB).toBeGreaterThan(heapMiB)
  expect(mostRssMiB).toBeGreaterThan(heapMiB)
})
