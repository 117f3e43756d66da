import { describe, expect, test } from 'vitest'
import type { LimitFields } from '../../src/core/bucket/algorithm.ts'
import type { BucketStore } from '../../src/core/bucket/bucket-store.ts'
import { releaseSlot, renewSlot } from '../../src/core/bucket/concurrency.ts'
import { algorithmOf } from '../../src/core/bucket/registry.ts'
import { at, limitOn, SECOND } from './algorithm-writes-suite.ts'

const sized = (limit: number) => algorithmOf({ algorithm: 'concurrency', limit, leaseSeconds: 60 })

const three = sized(3)

const named = (...ids: readonly string[]) => ids.map((id) => ({ id }))

const idsIn = ({ slots }: LimitFields): readonly string[] =>
  typeof slots === 'object' ? Object.keys(slots).toSorted() : []

/** Every kind of write of a concurrency limit, on a real store: `store` is created before the first test. */
export const slotWritesSuite = (name: string, store: () => BucketStore): void => {
  const take = (seen: LimitFields | undefined, seconds: number, ...ids: readonly string[]) =>
    three.charge(seen, Math.max(1, ids.length), at(seconds), 3, named(...ids))
  const taken = async (...ids: readonly string[]) => {
    const limit = limitOn(store())
    for (const id of ids) expect((await limit.write(take(limit.seen(), 1, id))).applied).toBe(true)
    return limit
  }

  describe(`${name} with the slots of a concurrency limit`, () => {
    test('takes slots up to the limit and no further, several at once, by any cached state', async () => {
      const limit = limitOn(store())
      expect((await limit.write(take(undefined, 1, 'a'))).applied).toBe(true)
      const outdated = limit.seen()
      expect((await limit.write(take(limit.seen(), 1, 'b', 'c'))).applied).toBe(true)
      expect(limit.fields().slots).toEqual({ a: at(61), b: at(61), c: at(61) })
      expect((await limit.write(take(limit.seen(), 1, 'd'))).applied).toBe(false)
      expect((await limit.write(take(outdated, 1, 'd'))).applied).toBe(false)
      expect((await limit.write(take(undefined, 1, 'd'))).applied).toBe(false)
      expect(idsIn(limit.fields())).toEqual(['a', 'b', 'c'])
    })

    test('looks without taking anything', async () => {
      const limit = limitOn(store())
      expect((await limit.write(take(undefined, 1))).applied).toBe(true)
      expect(limit.fields().slots).toBeUndefined()
      await limit.write(take(limit.seen(), 1, 'a', 'b'))
      expect((await limit.write(take(limit.seen(), 1))).applied).toBe(true)
      await limit.write(take(limit.seen(), 1, 'c'))
      expect((await limit.write(take(limit.seen(), 1))).applied).toBe(false)
      expect(idsIn(limit.fields())).toEqual(['a', 'b', 'c'])
    })

    test('removes expired slots in the same write, each on condition that it is still there', async () => {
      const limit = await taken('a', 'b', 'c')
      const outdated = limit.seen()
      expect((await limit.write(take(limit.seen(), 60, 'd'))).applied).toBe(false)
      expect((await limit.write(take(limit.seen(), 61, 'd'))).applied).toBe(true)
      expect(idsIn(limit.fields())).toEqual(['d'])
      await limit.write(take(limit.seen(), 61, 'e', 'f'))
      // three removed slots that are gone by now must not make room for three more
      expect((await limit.write(take(outdated, 61, 'g'))).applied).toBe(false)
      expect(idsIn(limit.fields())).toEqual(['d', 'e', 'f'])
    })

    test('does not remove a slot that was renewed since', async () => {
      const limit = await taken('a', 'b', 'c')
      const outdated = limit.seen()
      const renewal = renewSlot({ slot: 'a' }, at(90))
      expect((await limit.write(renewal)).applied).toBe(true)
      expect((await limit.write(renewal)).applied).toBe(false)
      expect((await limit.write(take(outdated, 70, 'd'))).applied).toBe(false)
      expect((await limit.write(take(limit.seen(), 70, 'd', 'e'))).applied).toBe(true)
      expect(idsIn(limit.fields())).toEqual(['a', 'd', 'e'])
      expect((await limit.write(renewSlot({ slot: 'b' }, at(200)))).applied).toBe(false)
    })

    test('releases a slot once, and only if it is there', async () => {
      const limit = limitOn(store())
      expect((await limit.write(releaseSlot({ slot: 'a' }))).applied).toBe(false)
      await limit.write(take(undefined, 1, 'a', 'b'))
      expect((await limit.write(releaseSlot({ slot: 'a' }))).applied).toBe(true)
      expect((await limit.write(releaseSlot({ slot: 'a' }))).applied).toBe(false)
      expect((await limit.write(releaseSlot({ slot: 'b' }))).applied).toBe(true)
      expect(limit.fields().slots).toEqual({})
      expect((await limit.write(take(limit.seen(), 1, 'c', 'd', 'e'))).applied).toBe(true)
    })

    test('takes a slot once if the response to its write was lost', async () => {
      const limit = await taken('a', 'b')
      const before = limit.seen()
      await limit.writeUnseen(take(before, 1, 'c'))
      expect((await limit.write(take(before, 2, 'c'))).applied).toBe(false)
      expect((await limit.write(take(limit.seen(), 2, 'c'))).applied).toBe(true)
      expect(idsIn(limit.fields())).toEqual(['a', 'b', 'c'])
      // released and taken by another by now: the cached slot does not count as held
      const outdated = limit.seen()
      await limit.writeUnseen(releaseSlot({ slot: 'c' }) ?? expect.fail('nothing to release'))
      await limit.writeUnseen(take({ slots: { a: at(61), b: at(61) } }, 2, 'd'))
      expect((await limit.write(take(outdated, 2, 'c'))).applied).toBe(false)
    })

    test('is exceeded if and only if no slot is free', async () => {
      const limit = await taken('a', 'b')
      expect((await limit.write(three.exceeded(limit.seen(), 1, at(1), 3))).applied).toBe(false)
      expect((await limit.write(three.exceeded(limit.seen(), 2, at(1), 3))).applied).toBe(true)
      await limit.write(take(limit.seen(), 1, 'c'))
      expect((await limit.write(three.exceeded(limit.seen(), 1, at(1), 3))).applied).toBe(true)
      expect((await limit.write(three.exceeded(limit.seen(), 1, at(61), 3))).applied).toBe(false)
    })

    test('frees all slots of a lowered limit, more than one expression names', async () => {
      const [many, few] = [sized(200), sized(2)]
      const limit = limitOn(store())
      const slots = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`s${index}`, at(60)]))
      await limit.begin({ slots })
      expect((await limit.write(many.charge(limit.seen(), 1, at(1), 200, named('z')))).applied).toBe(false)
      expect((await limit.write(few.charge(limit.seen(), 1, at(1), 2, named('z')))).applied).toBe(false)
      const outdated = limit.seen()
      await limit.writeUnseen(renewSlot({ slot: 's7' }, at(100)) ?? expect.fail('nothing to renew'))
      expect((await limit.write(few.charge(outdated, 1, at(60), 2, named('z')))).applied).toBe(false)
      expect((await limit.write(few.charge(limit.seen(), 1, at(60), 2, named('z')))).applied).toBe(true)
      expect(limit.fields().slots).toEqual({ s7: at(100), z: at(60) + 60n * SECOND })
    })

    test('keeps the live slots of another size, and none of another algorithm', async () => {
      const limit = await taken('a', 'b')
      const one = sized(1)
      const after = one.carryOver(three, limit.fields(), at(1))
      expect(idsIn(after)).toEqual(['a', 'b'])
      await limit.begin(after)
      expect((await limit.write(one.charge(limit.seen(), 1, at(1), 1, named('c')))).applied).toBe(false)
      await limit.write(releaseSlot({ slot: 'a' }))
      expect((await limit.write(one.charge(limit.seen(), 1, at(1), 1, named('c')))).applied).toBe(false)
      await limit.write(releaseSlot({ slot: 'b' }))
      expect((await limit.write(one.charge(limit.seen(), 1, at(1), 1, named('c')))).applied).toBe(true)
      const bucket = algorithmOf({ algorithm: 'token_bucket', capacity: 3, refillRate: 1 })
      expect(three.carryOver(bucket, { tat: at(3) }, at(1))).toEqual({ slots: {} })
      expect(bucket.usedMillionths(bucket.carryOver(three, limit.fields(), at(1)), at(1))).toBe(1_000_000n)
    })
  })
}
