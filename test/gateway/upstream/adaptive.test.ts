import { describe, expect, test } from 'vitest'
import { createAdaptive } from '../../../src/gateway/upstream/adaptive.ts'
import { isLittleLeft, waitMsIn } from '../../../src/gateway/upstream/reported-limits.ts'
import { createTestClock, SECOND, START } from '../../core/test-clock.ts'

const MAIN = { upstream: 'main', model: 'gpt-4' }
const SPARE = { upstream: 'spare', model: 'gpt-4' }

const start = () => {
  const clock = createTestClock()
  const adaptive = createAdaptive(clock)
  const answers = (status: number, entityId = 'key-alice', headers = {}, target = MAIN) =>
    adaptive.observe(target, { entityId, status, headers, floor: 0.1 })
  const factorOf = (entityId = 'key-alice', targets = [MAIN]) =>
    adaptive.paceOf(targets, entityId)?.factor ?? 1
  return { clock, adaptive, answers, factorOf }
}

describe('pressure', () => {
  test('on two entities within 10 s counts for all, at once', () => {
    const { answers, factorOf, clock } = start()
    answers(200, 'key-alice')
    answers(200, 'key-bob')
    answers(429, 'key-alice')
    expect(factorOf('key-alice')).toBe(1)
    clock.advance(9n * SECOND)
    answers(429, 'key-bob')
    expect(factorOf('key-alice')).toBe(0.75)
    expect(factorOf('key-charlie')).toBe(0.75)
  })

  test('on two entities, 10 s apart, does not count', () => {
    const { answers, factorOf, clock } = start()
    answers(200, 'key-alice')
    answers(429, 'key-bob')
    clock.advance(11n * SECOND)
    answers(429, 'key-alice')
    expect(factorOf('key-alice')).toBe(1)
  })

  test('on the only caller of a minute counts for it alone', () => {
    const { answers, factorOf, clock } = start()
    answers(200, 'key-bob')
    clock.advance(61n * SECOND)
    answers(429, 'key-alice')
    expect([factorOf('key-alice'), factorOf('key-bob')]).toEqual([0.75, 1])
  })

  test('that one caller alone has met for long is not held against all, once another one meets it', () => {
    const { answers, factorOf, clock } = start()
    for (let n = 0; n < 20; n++) {
      answers(429, 'key-alice')
      clock.advance(SECOND)
    }
    expect([factorOf('key-alice'), factorOf('key-bob')]).toEqual([0.1, 1])
    answers(429, 'key-bob')
    expect([factorOf('key-alice'), factorOf('key-bob')]).toEqual([0.75, 0.75])
  })

  test('lowers again after 1 s, but once it has denied, only when it was held long enough', () => {
    const { answers, factorOf, adaptive, clock } = start()
    answers(429)
    answers(429)
    expect(factorOf()).toBe(0.75)
    clock.advance(SECOND)
    answers(429, 'key-alice', { 'retry-after': '20' })
    expect(factorOf()).toBe(0.5625)
    adaptive.paceOf([MAIN], 'key-alice')?.onDenial()
    clock.advance(19n * SECOND)
    answers(429)
    expect(factorOf()).toBe(0.5625)
    clock.advance(SECOND)
    answers(429)
    expect(factorOf()).toBeCloseTo(0.421875)
  })

  test('is what a response reports to be left, too', () => {
    const { answers, factorOf } = start()
    answers(200, 'key-alice', { 'x-ratelimit-limit-requests': '100', 'x-ratelimit-remaining-requests': '9' })
    expect(factorOf()).toBe(0.75)
  })

  test('of another model or upstream is another one', () => {
    const { answers, factorOf, adaptive } = start()
    answers(429)
    expect(factorOf('key-alice', [{ ...MAIN, model: 'gpt-4o' }])).toBe(1)
    expect(factorOf('key-alice', [SPARE])).toBe(1)
    expect(adaptive.factors()).toEqual([{ ...MAIN, factor: 0.75 }])
  })

  test('counts by the upstream that is pressed least: it takes what the others do not', () => {
    const { answers, factorOf, clock } = start()
    answers(429)
    expect(factorOf('key-alice', [MAIN, SPARE])).toBe(1)
    clock.advance(SECOND)
    answers(429)
    answers(429, 'key-alice', {}, SPARE)
    expect(factorOf('key-alice', [MAIN, SPARE])).toBe(0.75)
  })

  test('is forgotten where an upstream is adaptive no more', () => {
    const { answers, factorOf, adaptive } = start()
    answers(429)
    adaptive.forget(MAIN)
    expect(factorOf()).toBe(1)
    expect(adaptive.factors()).toEqual([])
  })

  test('is remembered of 1,000 targets', () => {
    const { answers, adaptive } = start()
    for (let n = 0; n < 1_010; n++) answers(429, 'key-alice', {}, { upstream: 'main', model: `m${n}` })
    expect(adaptive.factors()).toHaveLength(1_000)
  })
})

describe('what an upstream reports to be left', () => {
  const openai = (limit: string, remaining: string, reset?: string) => ({
    'x-ratelimit-limit-tokens': limit,
    'x-ratelimit-remaining-tokens': remaining,
    ...(reset !== undefined && { 'x-ratelimit-reset-tokens': reset }),
  })
  const anthropic = (remaining: string, reset: string) => ({
    'anthropic-ratelimit-input-tokens-limit': '10000',
    'anthropic-ratelimit-input-tokens-remaining': remaining,
    'anthropic-ratelimit-input-tokens-reset': reset,
  })
  test.each([
    [true, openai('150000', '14999', '1m0s')],
    [true, openai('150000', '0')],
    [true, openai('150000', '100', '59.9s')],
    [true, openai('150000', '100', '120ms')],
    [true, openai('150000', '100', '60')],
    [false, openai('150000', '15000', '1s')],
    // a quota of a day
    [false, openai('200', '3', '22h4m48s')],
    [false, openai('200', '3', '1d2h')],
    [false, openai('200', '3', '86400')],
    // not numbers that can be compared
    [false, openai('0', '0')],
    [false, openai('many', 'few')],
    [false, openai('150000', '-1')],
    [false, { 'x-ratelimit-remaining-tokens': '0' }],
    [true, anthropic('999', '2026-01-01T00:00:30Z')],
    [false, anthropic('1000', '2026-01-01T00:00:30Z')],
    [false, anthropic('0', '2026-01-01T08:00:00Z')],
    [false, { 'x-request-id': '0' }],
  ] as const)('is little: %s for %o', (isLittle, headers) => {
    expect(isLittleLeft(headers, START)).toBe(isLittle)
  })

  test.each([
    [undefined, {}],
    [20_000, { 'retry-after': '20' }],
    [1500, { 'retry-after': '20', 'retry-after-ms': '1500' }],
    [30_000, { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }],
    [0, { 'retry-after': 'Thu, 01 Jan 2025 00:00:30 GMT' }],
    [undefined, { 'retry-after': 'soon' }],
  ] as const)('is waited for: %s ms for %o', (ms, headers) => {
    expect(waitMsIn(headers, START)).toBe(ms)
  })
})
