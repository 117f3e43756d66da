import { describe, expect, test } from 'vitest'
import { type Bound, shareUsed, worstSpan } from '../../../verify/over-admission/allowed.ts'
import { type Use, usesOf } from '../../../verify/over-admission/use.ts'

const MINUTE = 60_000
/** 20:00:30 of a day, ms since the epoch. */
const START = 1_767_297_630_000
const ns = (ms: number): bigint => BigInt(Math.round((START + ms) * 1e6))

/** One request each, `ms` after the start. */
const admitted = (...times: readonly number[]): readonly Use[] =>
  times.map((ms) => ({ amount: 1, at: ns(ms), until: ns(ms), sentAt: ns(ms) }))

describe('a bound on any span', () => {
  const bound: Bound = { kind: 'span', capacity: 2, perSecond: 1 }

  test('allows the capacity and the refill between the first and the last use', () => {
    expect(worstSpan(bound, admitted(0, 0, 1000, 2000))).toMatchObject({ over: 0 })
    expect(worstSpan(bound, admitted(0, 0, 999))).toEqual({ used: 3, allowed: 2, over: 1 })
  })

  test('finds spans in the middle of a long log', () => {
    expect(worstSpan(bound, admitted(0, 9000, 9000, 9001, 30_000))).toEqual({ used: 3, allowed: 2, over: 1 })
  })
})

describe('a bound on any window', () => {
  const bound: Bound = { kind: 'window', limit: 2, seconds: 1 }

  test('counts uses less than a window apart', () => {
    expect(worstSpan(bound, admitted(0, 0, 1000, 1000))).toEqual({ used: 2, allowed: 2, over: 0 })
    expect(worstSpan(bound, admitted(0, 500, 999))).toEqual({ used: 3, allowed: 2, over: 1 })
  })

  test('has a used share', () => {
    const times = [0, 0, 1100, 1100, 2200, 2200, 3300, 3300]
    expect(shareUsed(bound, admitted(...times))).toBeCloseTo(1 / 1.1)
    expect(shareUsed(bound, admitted(0, 0, 1100, 1100))).toBeNaN()
  })
})

test('counts minutes by the clock', () => {
  const bound: Bound = { kind: 'minute', limit: 2 }
  const beforeEnd = MINUTE / 2 - 1
  expect(worstSpan(bound, admitted(0, beforeEnd, beforeEnd + 1, beforeEnd + 2)).over).toBe(0)
  expect(worstSpan(bound, admitted(0, 1, beforeEnd))).toEqual({ used: 3, allowed: 2, over: 1 })
})

test('counts a request that is sent in one minute and completed in the next in either', () => {
  const bound: Bound = { kind: 'minute', limit: 2 }
  const across = { amount: 1, at: ns(0), until: ns(MINUTE), sentAt: ns(0) }
  expect(worstSpan(bound, [...admitted(0, 0), across]).over).toBe(0)
  expect(worstSpan(bound, [...admitted(0, 0), across, ...admitted(MINUTE, MINUTE)]).over).toBe(1)
})

describe('a settlement', () => {
  const bound: Bound = { kind: 'window', limit: 10, seconds: 60 }
  const settled = (sentMs: number, used: number, doneMs = sentMs + 10) => ({
    sentAt: ns(sentMs),
    at: ns(sentMs),
    receivedAt: ns(sentMs + 1),
    entityId: 'key',
    reserved: { tokens: 5 },
    settled: { used: { tokens: used }, calledAt: ns(sentMs + 5), doneAt: ns(doneMs) },
  })

  test('below the reservation counts the actual use', () => {
    const uses = usesOf([settled(0, 1), settled(1, 1), settled(2, 5), settled(3, 3)], 'tokens')
    expect(worstSpan(bound, uses)).toEqual({ used: 10, allowed: 10, over: 0 })
  })

  test('above the reservation counts against later admissions', () => {
    expect(worstSpan(bound, usesOf([settled(0, 8), settled(20, 5)], 'tokens')).over).toBe(3)
    expect(worstSpan(bound, usesOf([settled(0, 8, 30), settled(20, 5)], 'tokens')).over).toBe(0)
    expect(worstSpan(bound, usesOf([settled(0, 50)], 'tokens')).over).toBe(0)
  })
})
