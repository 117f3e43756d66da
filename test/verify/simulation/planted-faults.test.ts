import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { planted } from '../../../verify/simulation/faults/bundled.ts'
import { hunt } from '../../../verify/simulation/faults/hunt.ts'
import { PLANTED_FAULTS } from '../../../verify/simulation/faults/planted-faults.ts'

const named = (part: string) => {
  const fault = PLANTED_FAULTS.find(({ name }) => name.includes(part))
  if (!fault) throw new Error(`no fault is named so: ${part}`)
  return fault
}

describe('planted faults', () => {
  it.each(PLANTED_FAULTS)('can be planted: $name', (fault) => {
    const source = readFileSync(fault.file, 'utf8')
    expect(planted(fault, source)).not.toBe(source)
  })

  it('are not planted where the place has changed', () => {
    expect(() => planted({ name: 'a', file: 'b', from: 'c', to: 'd' }, 'c and c')).toThrow('stands 2 times')
  })

  it.each([
    ['given back twice', 'charged first'],
    ['leases are not charged', 'charged first'],
    ['mark after the oldest', 'never over'],
    ['waits for ever', 'answered'],
    ['begins anew', 'never over'],
    ['carries it back', 'in order'],
    ['policies are not charged', 'charged first'],
    ['without the table a process grants', 'as told'],
  ])('are found: %s', { timeout: 120_000 }, async (part, invariant) => {
    const { seed, invariants } = await hunt(named(part), 400)
    expect(seed).toBeLessThanOrEqual(400)
    expect(invariants).toContain(invariant)
  })
})
