import { describe, expect, test } from 'vitest'
import { type Algorithm, fieldsOf, type LimitFields } from '../../src/core/bucket/algorithm.ts'
import { numberIn, prefixed, unchangedSince } from '../../src/core/bucket/bucket-item.ts'
import { type BucketStore, entityBucket, type WriteOutcome } from '../../src/core/bucket/bucket-store.ts'
import { algorithmOf } from '../../src/core/bucket/registry.ts'
import { add, type BucketItem, equal, set } from '../../src/core/bucket/write.ts'
import { ALGORITHMS, type LimitSize } from '../../src/core/model/limit.ts'

export const SECOND = 1_000_000_000n
/** 2026-01-01T00:00:00Z, where minutes and slots begin. */
const START = 1_767_225_600n * SECOND
export const at = (seconds: number): bigint => START + BigInt(seconds) * SECOND

/** Slots are in `slot-writes-suite.ts`. */
const NAMES = ALGORITHMS.filter((name) => name !== 'concurrency')

type Name = (typeof NAMES)[number]

/** One size of each: 10 at a time, 60 s, a token or slot every 6 s. A new algorithm needs one here. */
const SIZES = {
  token_bucket: { algorithm: 'token_bucket', capacity: 10, refillRate: 1 / 6 },
  sliding_window: { algorithm: 'sliding_window', limit: 10, windowSeconds: 60, slots: 10 },
  fixed_window: { algorithm: 'fixed_window', limit: 10, window: 'minute', timeZone: 'UTC' },
} as const satisfies Readonly<Record<Name, LimitSize>>

type Part = ReturnType<Algorithm['charge']>

let made = 0

/** One limit, `rpm`, of a bucket that no other test uses, with `rev` as in every bucket. */
export const limitOn = (store: BucketStore) => {
  const id = entityBucket(`algorithm-${++made}`, 'gpt-4')
  let item: BucketItem | undefined
  return {
    fields: (): LimitFields => fieldsOf(item ?? {}, 'rpm'),
    seen: (): LimitFields | undefined => item && fieldsOf(item, 'rpm'),
    async write(part: Part | undefined): Promise<WriteOutcome> {
      if (part === undefined) throw new Error('there is nothing to write')
      const write = prefixed('rpm', part)
      const outcome = await store.write(id, {
        conditions: [...unchangedSince(item, [write]), ...write.conditions],
        actions: [add('rev', 1n), ...write.actions],
      })
      item = outcome.item
      return outcome
    },
    /** A concurrent write. */
    async writeUnseen(part: Part): Promise<void> {
      const { conditions, actions } = prefixed('rpm', part)
      await store.write(id, { conditions, actions: [add('rev', 1n), ...actions] })
    },
    async begin(fields: LimitFields): Promise<void> {
      const actions = Object.entries(fields).map(([name, value]) => set(`rpm_${name}`, value))
      const outcome = await store.write(id, { conditions: [], actions: [set('rev', 1n), ...actions] })
      item = outcome.item
    },
    rev: (): bigint => numberIn(item, 'rev', 0n),
  }
}

const give = (
  basis: ReturnType<Algorithm['refundBasis']>,
  amount: number,
  now: bigint,
  elapsedNs: bigint,
) => ({
  basis,
  amount,
  now,
  elapsedNs,
  full: false,
  unconditional: false,
})

/**
 * Every kind of write of the algorithms, on a real store, because an engine may reject an expression or evaluate it differently.
 * `store` is created before the first test.
 */
export const algorithmWritesSuite = (name: string, store: () => BucketStore): void => {
  const used = (algorithm: Algorithm, fields: LimitFields, now: bigint): number =>
    Number(algorithm.usedMillionths(fields, now)) / 1e6

  describe.each(NAMES)(`${name} with the writes of %s`, (algorithmName) => {
    const algorithm = algorithmOf(SIZES[algorithmName])
    const charge = (seen: LimitFields | undefined, cost: number, seconds: number) =>
      algorithm.charge(seen, cost, at(seconds), 10)

    test('charges a bucket that is not there, again, up to the limit and no further', async () => {
      const limit = limitOn(store())
      expect((await limit.write(charge(undefined, 4, 1))).applied).toBe(true)
      expect((await limit.write(charge(limit.seen(), 5, 1))).applied).toBe(true)
      expect(used(algorithm, limit.fields(), at(1))).toBe(9)
      const before = limit.fields()
      expect((await limit.write(charge(limit.seen(), 2, 1))).applied).toBe(false)
      expect(limit.fields()).toEqual(before)
      expect((await limit.write(charge(limit.seen(), 1, 1))).applied).toBe(true)
      expect(used(algorithm, limit.fields(), at(1))).toBe(10)
      expect((await limit.write(charge(limit.seen(), 0, 1))).applied).toBe(true)
    })

    test('rejects a first charge after another one, and applies the next by the returned state', async () => {
      const limit = limitOn(store())
      await limit.writeUnseen(charge(undefined, 8, 1))
      expect((await limit.write(charge(undefined, 8, 1))).applied).toBe(false)
      expect(used(algorithm, limit.fields(), at(1))).toBe(8)
      expect((await limit.write(charge(limit.seen(), 2, 1))).applied).toBe(true)
      expect(used(algorithm, limit.fields(), at(1))).toBe(10)
    })

    test('denies a cost that does not fit, and changes nothing', async () => {
      const limit = limitOn(store())
      await limit.write(charge(undefined, 9, 1))
      const before = limit.fields()
      expect((await limit.write(algorithm.exceeded(limit.seen(), 1, at(1), 10))).applied).toBe(false)
      expect((await limit.write(algorithm.exceeded(limit.seen(), 2, at(1), 10))).applied).toBe(true)
      expect(limit.fields()).toEqual(before)
    })

    test('goes into debt, and then denies even a cost of 0 until it is paid', async () => {
      const limit = limitOn(store())
      await limit.write(charge(undefined, 6, 1))
      const debit = algorithm.debit(limit.seen(), 9, at(1), at(1000))
      expect((await limit.write(debit)).applied).toBe(true)
      expect(used(algorithm, limit.fields(), at(1))).toBe(15)
      expect((await limit.write(charge(limit.seen(), 0, 1))).applied).toBe(false)
      expect((await limit.write(charge(limit.seen(), 3, 120))).applied).toBe(true)
      expect(used(algorithm, limit.fields(), at(120))).toBe(3)
    })

    test('debits a bucket that is not there', async () => {
      const limit = limitOn(store())
      expect((await limit.write(algorithm.debit(undefined, 12, at(1), at(1000)))).applied).toBe(true)
      expect(used(algorithm, limit.fields(), at(1))).toBe(12)
    })

    test('refunds what was not used, with charges before and after it', async () => {
      const limit = limitOn(store())
      await limit.write(charge(undefined, 2, 1))
      await limit.write(charge(limit.seen(), 6, 1))
      const basis = algorithm.refundBasis(limit.fields(), at(1))
      await limit.write(charge(limit.seen(), 1, 7))
      const refund = algorithm.refund(limit.fields(), give(basis, 5, at(7), 6n * SECOND))
      expect((await limit.write(refund)).applied).toBe(true)
      const left = { token_bucket: 3, sliding_window: 4, fixed_window: 4 }
      expect(used(algorithm, limit.fields(), at(7))).toBe(left[algorithmName])
      expect((await limit.write(charge(limit.seen(), 10 - left[algorithmName], 7))).applied).toBe(true)
      expect(used(algorithm, limit.fields(), at(7))).toBe(10)
    })

    test('tops up what is used', async () => {
      const limit = limitOn(store())
      await limit.write(charge(undefined, 3, 1))
      await limit.write(charge(limit.seen(), 6, 7))
      const before = used(algorithm, limit.fields(), at(7))
      expect((await limit.write(algorithm.topUp(limit.fields(), 5, at(7)))).applied).toBe(true)
      expect(used(algorithm, limit.fields(), at(7))).toBe(before - 5)
      expect((await limit.write(algorithm.topUp(limit.fields(), 100, at(7)))).applied).toBe(true)
      expect(used(algorithm, limit.fields(), at(7))).toBe(0)
      expect(algorithm.topUp(limit.fields(), 1, at(7))).toBeUndefined()
    })

    test.each(NAMES)('goes on from the state of a %s, and is charged from there', async (previousName) => {
      const previous = algorithmOf(SIZES[previousName])
      const limit = limitOn(store())
      await limit.write(previous.charge(undefined, 4, at(1), 10))
      const after = algorithm.carryOver(previous, limit.fields(), at(1))
      await limit.begin(after)
      expect(limit.fields()).toMatchObject(after)
      const kept = used(algorithm, limit.fields(), at(1))
      expect((await limit.write(charge(limit.seen(), 2, 1))).applied).toBe(true)
      expect(used(algorithm, limit.fields(), at(1))).toBe(kept + 2)
    })
  })

  describe(`${name} with the marks of a sliding window`, () => {
    const size = { algorithm: 'sliding_window', limit: 1000, windowSeconds: 60, slots: 60 } as const
    const algorithm = algorithmOf(size)
    /** One charge per second. */
    const chargeUntil = async (limit: ReturnType<typeof limitOn>, from: number, until: number) => {
      for (let second = from; second <= until; second++)
        await limit.write(algorithm.charge(limit.seen(), 10, at(second), 1000))
    }
    const marks = (limit: ReturnType<typeof limitOn>): readonly bigint[] =>
      typeof limit.fields().marks === 'object' ? Object.values(limit.fields().marks ?? {}) : []
    const sorted = (values: readonly bigint[]): readonly bigint[] => [...values].sort((a, b) => Number(a - b))

    test.each([
      ['lowered one by one', 5],
      ['lowered where too many slots would have to be named', 20],
      ['lowered in a map that is replaced', 40],
    ])('takes a refund with marks %s', async (_, seconds) => {
      const limit = limitOn(store())
      await limit.write(algorithm.charge(undefined, 100, at(0), 1000))
      const basis = algorithm.refundBasis(limit.fields(), at(0))
      await chargeUntil(limit, 1, seconds)
      const before = sorted(marks(limit))
      const refund = algorithm.refund(limit.fields(), give(basis, 70, at(seconds), BigInt(seconds) * SECOND))
      expect((await limit.write(refund)).applied).toBe(true)
      expect(limit.fields().n).toBe(30n + 10n * BigInt(seconds))
      expect(sorted(marks(limit))).toEqual(before.map((value) => (value === 0n ? 0n : value - 70n)))
      expect(used(algorithm, limit.fields(), at(seconds))).toBe(30 + 10 * seconds)
    })

    test('rejects a refund that misses a mark, and applies it by the returned state', async () => {
      const limit = limitOn(store())
      await limit.write(algorithm.charge(undefined, 100, at(0), 1000))
      const basis = algorithm.refundBasis(limit.fields(), at(0))
      await limit.writeUnseen(algorithm.charge(limit.seen(), 10, at(3), 1000))
      const refund = () => algorithm.refund(limit.fields(), give(basis, 70, at(3), 3n * SECOND))
      expect((await limit.write(refund())).applied).toBe(false)
      expect((await limit.write(refund())).applied).toBe(true)
      expect(sorted(marks(limit))).toEqual([0n, 30n])
      expect(limit.fields().n).toBe(40n)
    })

    test('marks a slot once, with what was counted before it, and removes marks that are long gone', async () => {
      const limit = limitOn(store())
      await chargeUntil(limit, 0, 3)
      await limit.write(algorithm.charge(limit.seen(), 10, at(3), 1000))
      expect(sorted(marks(limit))).toEqual([0n, 10n, 20n, 30n])
      await limit.write(algorithm.charge(limit.seen(), 10, at(200), 1000))
      expect(marks(limit)).toEqual([50n])
      expect(limit.fields().n).toBe(60n)
    })

    test('admits nothing on a base that has changed meanwhile', async () => {
      const limit = limitOn(store())
      await chargeUntil(limit, 0, 1)
      const seen = limit.seen()
      const [base] = Object.entries(limit.fields().marks ?? {}).find(([, value]) => value === 0n) ?? []
      if (base === undefined) throw new Error('there is no base')
      const raised = { conditions: [equal(['marks', base], 0n)], actions: [set(['marks', base], 5n)] }
      await limit.writeUnseen(raised)
      expect((await limit.write(algorithm.charge(seen, 10, at(1), 1000))).applied).toBe(false)
      expect((await limit.write(algorithm.charge(limit.seen(), 10, at(1), 1000))).applied).toBe(true)
    })
  })
}
