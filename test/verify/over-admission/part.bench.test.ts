import { expect, test } from 'vitest'
import { overAdmissionPart } from '../../../verify/over-admission/part.ts'

const run = (seconds: number, only = '') =>
  overAdmissionPart({ load: { nodes: 3, callers: 12, seconds }, only, onProgress: () => {} }).run()

test('finds no over-admission by any algorithm for concurrent callers of several nodes', async () => {
  const { rows, failures } = await run(0.1)
  expect(failures).toEqual([])
  expect(rows.length).toBeGreaterThanOrEqual(15)
  for (const row of rows) expect(row).toMatchObject({ over: 0, errors: 0, degraded: 0 })
})

test('finds no over-admission when a window ends and all callers use the next', async () => {
  const { rows, failures } = await run(1.2, 'sliding_window')
  expect(failures).toEqual([])
  expect(rows).toHaveLength(2)
})
