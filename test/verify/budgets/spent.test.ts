import { describe, expect, test } from 'vitest'
import { budgetScenarios } from '../../../verify/budgets/scenarios.ts'
import { spendingOf, worstOf } from '../../../verify/budgets/spent.ts'
import type { Admission } from '../../../verify/over-admission/use.ts'

/** Calls at these times in ms, each of 10 micro-dollars, of which it reserved 30. */
const calls = (...times: readonly number[]): readonly Admission[] =>
  times.map((ms) => {
    const at = 1_800_000_000_000_000_000n + BigInt(ms) * 1_000_000n
    const settled = { used: { cost_usd_micros: 10 }, calledAt: at, doneAt: at }
    return {
      sentAt: at,
      chargedAt: [at],
      receivedAt: at,
      entityId: 'key',
      reserved: { cost_usd_micros: 30 },
      settled,
    }
  })

describe('what is spent', () => {
  test('is the sum of what calls cost in the end, beside the budget of a window of the calendar', () => {
    const day = { micros: 30, window: 'day' } as const
    expect(spendingOf(day, calls(0, 5, 9000))).toEqual({ spent: 30, allowed: 30, over: 0 })
    expect(spendingOf(day, calls(0, 5, 9000, 9001))).toEqual({ spent: 40, allowed: 30, over: 10 })
  })

  test('of a call that was not settled is what it reserved', () => {
    const [{ settled: _, ...open } = expect.fail()] = calls(0)
    expect(spendingOf({ micros: 30, window: 'day' }, [open])).toMatchObject({ spent: 30 })
  })

  test('may be the budget again in each window from its first use on', () => {
    const run = { micros: 20, window: 'first_use', windowSeconds: 1 } as const
    expect(spendingOf(run, calls(0, 999, 1000, 1001, 2000, 2999))).toMatchObject({ over: 0 })
    expect(spendingOf(run, calls(2, 0, 999, 1000))).toEqual({ spent: 30, allowed: 20, over: 10 })
    expect(spendingOf(run, calls(0, 1, 1000, 1001, 1999))).toEqual({ spent: 50, allowed: 40, over: 10 })
  })

  test('of several keys is that of the worst', () => {
    const worst = worstOf([
      { spent: 10, allowed: 30, over: 0 },
      { spent: 40, allowed: 30, over: 10 },
    ])
    expect(worst).toEqual({ spent: 40, allowed: 30, over: 10 })
  })
})

test('no call of a scenario uses more than it reserves, and all have prices', () => {
  const load = { nodes: 1, callers: 1, seconds: 1 }
  for (const { request, used, isSoftCap, name } of budgetScenarios(load))
    for (let index = 0; index < 500; index++) {
      const { cost } = request(index)
      const spent = used?.(cost, index).cost_usd_micros ?? 0
      expect([name, spent > 0, isSoftCap || spent <= (cost.cost_usd_micros ?? 0)]).toEqual([name, true, true])
    }
})
