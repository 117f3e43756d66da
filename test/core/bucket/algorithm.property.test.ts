import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import type { LimitFields } from '../../../src/core/bucket/algorithm.ts'
import { algorithmOf, algorithmOfText } from '../../../src/core/bucket/registry.ts'
import {
  anySize,
  applied,
  costOf,
  type History,
  histories,
  historyOf,
  pausedSize,
  sizes,
  steps,
} from './algorithm-history.ts'

const shares = fc.double({ min: 0, max: 1, noNaN: true })

const picks = fc.nat(100)

const lastOf = ({ states }: History): LimitFields => states.at(-1) ?? {}

const pickOf = ({ states }: History, pick: number): LimitFields => states[pick % states.length] ?? {}

/** Properties of every algorithm that counts amounts, including future ones. */
describe.each(Object.entries(sizes))('%s', (_, size) => {
  const history = histories(size)

  test.prop([fc.oneof(size, size.map(pausedSize))])(
    'is read back from its text with the same arithmetic',
    (each) => {
      const algorithm = algorithmOf(each)
      const again = algorithmOfText(algorithm.text)
      expect(again).toMatchObject({
        text: algorithm.text,
        capacity: algorithm.capacity,
        name: each.algorithm,
      })
      expect(again?.windowNs).toBe(algorithm.windowNs)
    },
  )

  test.prop([history, shares, shares])(
    'returns the first moment at which a denied request would pass',
    (past, cost, boundShare) => {
      const { algorithm, now } = past
      const amount = costOf(algorithm, cost)
      const bound = Math.max(amount, costOf(algorithm, boundShare))
      const fields = lastOf(past)
      const wait = algorithm.wait(fields, amount, now, bound)
      const passes = (at: bigint) =>
        applied(fields, algorithm.charge(fields, amount, at, bound)) !== undefined
      expect(passes(now + wait)).toBe(true)
      if (wait > 0n) expect(passes(now + wait - 1n)).toBe(false)
    },
  )

  test.prop([history, shares, picks])(
    'is charged exactly or not at all, from any earlier cached state',
    (past, cost, pick) => {
      const { algorithm, now } = past
      const [fields, amount] = [lastOf(past), costOf(past.algorithm, cost)]
      const guessed = applied(fields, algorithm.charge(pickOf(past, pick), amount, now, algorithm.capacity))
      if (guessed === undefined) return
      expect(algorithm.wait(fields, amount, now, algorithm.capacity)).toBe(0n)
      const used = algorithm.usedMillionths(fields, now)
      expect(algorithm.usedMillionths(guessed, now)).toBe(used + BigInt(amount) * 1_000_000n)
    },
  )

  test.prop([history, shares, shares])(
    'is exceeded if and only if it cannot be charged',
    (past, cost, boundShare) => {
      const { algorithm, now } = past
      const [fields, amount] = [lastOf(past), costOf(past.algorithm, cost)]
      const bound = costOf(algorithm, boundShare)
      const isOver = applied(fields, algorithm.exceeded(fields, amount, now, bound)) !== undefined
      const fits = amount <= bound && algorithm.wait(fields, amount, now, bound) === 0n
      expect(isOver).toBe(!fits)
    },
  )

  test.prop([history, picks])('checks a cost of zero against debt, and changes nothing', (past, debt) => {
    const { algorithm, now } = past
    const fields = lastOf(past)
    const indebted =
      applied(fields, algorithm.debit(fields, debt, now, now + 10n ** 20n)) ?? expect.fail('not charged')
    const isInDebt = algorithm.usedMillionths(indebted, now) > BigInt(algorithm.capacity) * 1_000_000n
    const after = applied(indebted, algorithm.charge(indebted, 0, now, 1))
    expect(after).toEqual(isInDebt ? undefined : indebted)
    expect(algorithm.wait(indebted, 0, now, 1) > 0n).toBe(isInDebt)
  })

  test.prop([history, picks])('goes into debt by exactly the requested amount', (past, amount) => {
    fc.pre(amount > 0)
    const { algorithm, now } = past
    const fields = lastOf(past)
    const after = applied(fields, algorithm.debit(fields, amount, now, now + 10n ** 20n))
    const used = algorithm.usedMillionths(fields, now) + BigInt(amount) * 1_000_000n
    expect(after && algorithm.usedMillionths(after, now)).toBe(used)
    expect(after && algorithm.level(after, now).available).toBe(
      Math.max(0, Math.floor(algorithm.capacity - Number(used) / 1e6)),
    )
  })

  test.prop([history, shares])('is unchanged after an immediate refund', (past, cost) => {
    const { algorithm, now } = past
    const [fields, amount] = [lastOf(past), costOf(past.algorithm, cost)]
    const after = applied(fields, algorithm.charge(fields, amount, now, algorithm.capacity))
    fc.pre(after !== undefined)
    const give = { basis: algorithm.refundBasis(after, now), amount, now, elapsedNs: 0n }
    const write = algorithm.refund(after, { ...give, full: false, unconditional: false })
    const restored = (write && applied(after, write)) ?? expect.fail('not given back')
    expect(algorithm.usedMillionths(restored, now)).toBe(algorithm.usedMillionths(fields, now))
    expect(algorithm.level(restored, now).available).toBe(algorithm.level(fields, now).available)
  })

  test.prop([history, picks])('is less in use after a top-up, and never below zero', (past, amount) => {
    fc.pre(amount > 0)
    const { algorithm, now } = past
    const fields = lastOf(past)
    const used = algorithm.usedMillionths(fields, now)
    const write = algorithm.topUp(fields, amount, now)
    expect(write === undefined).toBe(used === 0n)
    if (write === undefined) return
    const after = applied(fields, write) ?? expect.fail('not topped up')
    const left = used - BigInt(amount) * 1_000_000n
    expect(algorithm.usedMillionths(after, now)).toBe(left > 0n ? left : 0n)
  })

  test.prop([history])('is full at the moment it returns, and not before', (past) => {
    const { algorithm, now } = past
    const fields = lastOf(past)
    const { resetNs, available } = algorithm.level(fields, now)
    expect(algorithm.level(fields, now + resetNs)).toMatchObject({
      available: algorithm.capacity,
      resetNs: 0n,
    })
    expect(resetNs === 0n).toBe(algorithm.usedMillionths(fields, now) === 0n)
    if (resetNs > 0n) expect(algorithm.usedMillionths(fields, now + resetNs - 1n)).not.toBe(0n)
    expect(algorithm.fullAt(fields, 0, now) >= now + resetNs).toBe(true)
    if (available === algorithm.capacity) return
    expect(resetNs).not.toBe(0n)
  })

  test.prop([history])('reports what is in use in parts that add up', (past) => {
    const { algorithm, now } = past
    const parts = algorithm.uses(lastOf(past), now)
    const sum = parts.reduce((total, { millionths }) => total + millionths, 0n)
    expect(sum).toBe(algorithm.usedMillionths(lastOf(past), now))
    expect(parts.every(({ since, until }) => since <= until)).toBe(true)
  })

  test.prop([history, anySize])(
    'changes to another algorithm with no more in use, in a valid state of that one',
    (past, next) => {
      const { algorithm, now } = past
      const fields = lastOf(past)
      const other = algorithmOf(next)
      const taken = other.carryOver(algorithm, fields, now)
      // rounded up to whole tokens, or to the ns
      expect(other.usedMillionths(taken, now) < algorithm.usedMillionths(fields, now) + 1_000_001n).toBe(true)
      const fits = other.wait(taken, 1, now, other.capacity) === 0n
      expect(applied(taken, other.charge(taken, 1, now, other.capacity)) !== undefined).toBe(fits)
      expect(other.usedMillionths(taken, other.fullAt(taken, 0, now))).toBe(0n)
    },
  )

  test.prop([size, steps, shares, picks])(
    'forgives nothing while it is paused, and is never fuller than its debts afterwards',
    (each, plan, wait, debt) => {
      const { algorithm, now, ...past } = historyOf(each, plan)
      const fields = past.states.at(-1) ?? {}
      const paused = algorithmOf(pausedSize(each))
      const held = paused.carryOver(algorithm, fields, now)
      const owing =
        applied(held, paused.debit(held, debt, now, now + 10n ** 20n)) ?? expect.fail('not charged')
      expect(paused.level(owing, now).available).toBe(0)
      expect(paused.usedMillionths(owing, paused.fullAt(owing, 0, now))).toBe(0n)

      const later = now + BigInt(Math.floor(Number(algorithm.windowNs) * wait))
      const resumed = algorithm.carryOver(paused, owing, later)
      const inFull =
        applied(fields, algorithm.debit(fields, debt, now, now + 10n ** 20n)) ?? expect.fail('no')
      expect(algorithm.usedMillionths(resumed, later) >= algorithm.usedMillionths(inFull, later)).toBe(true)
    },
  )

  test.prop([history, size, picks, shares])(
    'denies everything while it is paused, and a top-up stops at zero in use',
    (past, next, debt, cost) => {
      const { algorithm, now } = past
      const paused = algorithmOf(pausedSize(next))
      const taken = paused.carryOver(algorithm, lastOf(past), now)
      const fields =
        applied(taken, paused.debit(taken, debt, now, now + 10n ** 20n)) ?? expect.fail('not charged')
      const amount = costOf(algorithm, cost)
      expect(applied(fields, paused.exceeded(fields, amount, now, 0))).toEqual(fields)
      const isInDebt = paused.usedMillionths(fields, now) > 0n
      expect(applied(fields, paused.charge(fields, 0, now, 0)) === undefined).toBe(isInDebt)
      const write = paused.topUp(fields, 10_000, now)
      expect(write === undefined).toBe(!isInDebt)
      const topped = write ? (applied(fields, write) ?? expect.fail('not topped up')) : fields
      expect(paused.usedMillionths(topped, now)).toBe(0n)
    },
  )
})
