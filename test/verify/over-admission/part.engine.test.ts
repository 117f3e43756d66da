import { expect, it } from 'vitest'
import { overAdmissionPart } from '../../../verify/over-admission/part.ts'

it('finds nothing over, by any algorithm, when callers of several nodes ask at once', async () => {
  const load = { nodes: 3, callers: 12, seconds: 0.3 }
  const { rows, failures } = await overAdmissionPart({ load, onProgress: () => {} }).run()
  expect(failures).toEqual([])
  expect(rows.length).toBeGreaterThanOrEqual(15)
  for (const row of rows) expect(row).toMatchObject({ over: 0, errors: 0, degraded: 0 })
})
