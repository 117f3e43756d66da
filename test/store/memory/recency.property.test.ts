import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { expect } from 'vitest'
import { createRecency, type Recent } from '../../../src/store/memory/recency.ts'
import { runs } from '../../property-runs.ts'

class Member implements Recent<Member> {
  older: Member | undefined
  newer: Member | undefined
  usedIn = 0
  lastUse = 0
}

/** A list of `max` members at most, whose owner leaves out all but the first use of a member in a period. */
const createList = (max: number) => {
  const recency = createRecency<Member>(max)
  const members = new Map<number, Member>()
  let uses = 0
  return {
    use(id: number): void {
      const member = members.get(id) ?? new Member()
      member.lastUse = ++uses
      if (member.usedIn === recency.periods.current) return
      member.usedIn = recency.periods.current
      members.set(id, member)
      recency.use(member)
    },
    /** The number of members that were used after the oldest one; undefined if there is room. */
    dropOldest(): number | undefined {
      if (members.size <= max) return undefined
      const oldest = recency.oldest()
      for (const [id, member] of members) if (member === oldest) members.delete(id)
      if (oldest === undefined) return 0
      recency.remove(oldest)
      return [...members.values()].filter(({ lastUse }) => lastUse > oldest.lastUse).length
    },
  }
}

test.prop([fc.integer({ min: 1, max: 12 }), fc.array(fc.nat(20), { maxLength: 300 })], {
  numRuns: runs(500),
})('drops no member before half of the others have been used after it', (max, ids) => {
  const list = createList(max)
  for (const id of ids) {
    list.use(id)
    const usedSince = list.dropOldest()
    if (usedSince !== undefined) expect(usedSince).toBeGreaterThanOrEqual(max / 2)
  }
})
