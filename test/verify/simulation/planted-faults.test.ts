import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { planted } from '../../../verify/simulation/faults/bundled.ts'
import { hunt } from '../../../verify/simulation/faults/hunt.ts'
import { PLANTED_FAULTS } from '../../../verify/simulation/faults/planted-faults.ts'

const named = (part: string) => {
  const fault = PLANTED_FAULTS.find(({ name }) => name.includes(part))
  if (!fault) throw new Error(`no fault is named so: ${part}`)
  return fault
}

describe('planted faults', () => {
  test.each(PLANTED_FAULTS)('can be planted: $name', (fault) => {
    const source = readFileSync(fault.file, 'utf8')
    expect(planted(fault, source)).not.toBe(source)
  })

  test('are not planted if the text to replace has changed', () => {
    expect(() => planted({ name: 'a', file: 'b', from: 'c', to: 'd' }, 'c and c')).toThrow('occurs 2 times')
  })

  // the faults that a few seeds find; `npm run verify`, which .ci/run calls, hunts all of them
  test.each([
    ['refunds are applied twice', 'charged first'],
    ['leases are not charged', 'charged first'],
    ['waits forever', 'always responds'],
    ['policies are not charged', 'charged first'],
  ])('are found: %s', async (part, invariant) => {
    const { seed, invariants } = await hunt(named(part), 400)
    expect(seed).toBeLessThanOrEqual(400)
    expect(invariants).toContain(invariant)
  })
})
