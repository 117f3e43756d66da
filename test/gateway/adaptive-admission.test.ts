import { describe, expect, test } from 'vitest'
import { createAdaptive } from '../../src/gateway/upstream/adaptive.ts'
import { SECOND } from '../core/test-clock.ts'
import { entityOwner, limitsOf } from '../core/test-config.ts'
import { createTestWorld } from '../core/test-limiter.ts'

const KEYS = ['alice', 'bob', 'charlie'] as const

const FLOOR = 0.05

/** A key may send so many requests per minute, and tries twice as many. */
const LIMIT = 120

interface UpstreamOptions {
  /** Requests per minute. */
  readonly capacity: number
  /** Whether it reports what is left. */
  readonly reports?: boolean
  /** A window of a minute, with a wait until its end; else it refills continuously. */
  readonly isWindow?: boolean
}

/** An upstream with a limit of its own, as providers have it: what is beyond it is answered 429. */
const upstreamWith = ({ capacity, reports = false, isWindow = false }: UpstreamOptions) => {
  const burst = isWindow ? capacity : capacity / 6
  let [left, at] = [burst, 0]
  const leftAt = (seconds: number): number => {
    if (!isWindow) return Math.min(burst, left + ((seconds - at) * capacity) / 60)
    return Math.floor(seconds / 60) > Math.floor(at / 60) ? burst : left
  }
  return (seconds: number) => {
    left = leftAt(seconds)
    at = seconds
    const isServed = left >= 1
    if (isServed) left -= 1
    const headers: Record<string, string> =
      isServed || !isWindow ? {} : { 'retry-after': `${60 - (seconds % 60)}` }
    if (reports) {
      headers['x-ratelimit-limit-requests'] = String(burst)
      headers['x-ratelimit-remaining-requests'] = String(Math.floor(left))
    }
    return { status: isServed ? 200 : 429, headers }
  }
}

/** What happened in each minute. */
interface Minute {
  admitted: number
  refused: number
  readonly byKey: Record<string, number>
}

/** Keys that all try twice their limit on a model, in small steps of a clock that stands still otherwise. */
const simulate = () => {
  const { config, clock, node } = createTestWorld()
  const adaptive = createAdaptive(clock)
  for (const model of ['gpt-4', 'other']) config.putModel(model)
  for (const key of KEYS) {
    config.putEntity(key)
    config.putLimits(entityOwner(key), '_default_', limitsOf({ rpm: [LIMIT, LIMIT / 60] }))
  }
  const targetOf = (model: string) => ({ upstream: 'main', model })

  const request = async (
    upstream: ReturnType<typeof upstreamWith>,
    key: string,
    model: string,
    minute: Minute,
  ) => {
    const target = targetOf(model)
    const pace = adaptive.paceOf([target], key)
    const cost = { requests: 1 }
    const decision = await node.limiter.decide({
      ...{ entityId: key, resource: model, cost, settles: true },
      ...(pace && { pace }),
    })
    if (!decision.allowed) return
    const { status, headers } = upstream(Number(clock.monotonic()) / 1e9)
    adaptive.observe(target, { entityId: key, status, headers, floor: FLOOR })
    minute.admitted++
    minute.byKey[key] = (minute.byKey[key] ?? 0) + 1
    if (status === 200) return decision.reservation.settle(cost)
    minute.refused++
    return decision.reservation.release()
  }
  const run = async (
    upstream: ReturnType<typeof upstreamWith>,
    options: { readonly minutes: number; readonly keys?: readonly string[]; readonly model?: string },
  ): Promise<readonly Minute[]> => {
    const { minutes, keys = KEYS, model = 'gpt-4' } = options
    const all: Minute[] = []
    for (let at = 0; at < minutes; at++) {
      const minute: Minute = { admitted: 0, refused: 0, byKey: {} }
      all.push(minute)
      for (let tries = 0; tries < LIMIT * 2; tries++) {
        for (const key of keys) await request(upstream, key, model, minute)
        clock.advance((60n * SECOND) / BigInt(LIMIT * 2))
      }
    }
    return all
  }
  return { adaptive, clock, run }
}

const mean = (minutes: readonly Minute[], of: (minute: Minute) => number): number =>
  minutes.reduce((sum, minute) => sum + of(minute), 0) / minutes.length

describe('what is admitted to a model whose upstream is at its own limit', () => {
  test.each([
    ['answers 429', { capacity: 150 }, { least: 0.9, most: 1.1, refused: 0.06 }],
    ['reports what is left', { capacity: 150, reports: true }, { least: 0.8, most: 1.05, refused: 0.02 }],
    ['has windows of a minute', { capacity: 150, isWindow: true }, { least: 0.9, most: 1.2, refused: 0.15 }],
  ] as const)('converges to what it can serve, if it %s', async (_, options, { least, most, refused }) => {
    const { run } = simulate()
    const minutes = (await run(upstreamWith(options), { minutes: 9 })).slice(4)
    const admitted = mean(minutes, (minute) => minute.admitted) / options.capacity
    expect(admitted).toBeGreaterThan(least)
    expect(admitted).toBeLessThan(most)
    expect(mean(minutes, (minute) => minute.refused / minute.admitted)).toBeLessThan(refused)
    // in proportion to the limits, which are equal
    for (const key of KEYS)
      expect(mean(minutes, ({ byKey }) => byKey[key] ?? 0) / options.capacity).toBeGreaterThan(
        least / 3 - 0.05,
      )
  })

  test('without a pace, most requests would be refused', async () => {
    const { run, adaptive } = simulate()
    const upstream = upstreamWith({ capacity: 150 })
    adaptive.paceOf = () => undefined
    const minutes = (await run(upstream, { minutes: 4 })).slice(2)
    expect(mean(minutes, (minute) => minute.refused / minute.admitted)).toBeGreaterThan(0.5)
  })

  test('recovers within a bounded time once the upstream serves all', async () => {
    const { run, adaptive } = simulate()
    await run(upstreamWith({ capacity: 30 }), { minutes: 3 })
    expect(adaptive.factors()[0]?.factor).toBeLessThan(0.3)
    const minutes = await run(upstreamWith({ capacity: 10_000 }), { minutes: 5 })
    expect(adaptive.factors()).toEqual([])
    expect(minutes.at(-1)?.admitted).toBeGreaterThanOrEqual(KEYS.length * LIMIT)
  })

  test('leaves other models of the same upstream alone', async () => {
    const { run } = simulate()
    await run(upstreamWith({ capacity: 30 }), { minutes: 2 })
    const [, second] = await run(upstreamWith({ capacity: 10_000 }), { minutes: 2, model: 'other' })
    expect(second).toMatchObject({ admitted: KEYS.length * LIMIT, refused: 0 })
  })

  test('shrinks for the only caller, and not for those who join it', async () => {
    const { run } = simulate()
    const upstream = upstreamWith({ capacity: 60 })
    const minutes = (await run(upstream, { minutes: 8, keys: ['alice'] })).slice(4)
    expect(mean(minutes, (minute) => minute.admitted)).toBeLessThan(66)
    const [first] = await run(upstreamWith({ capacity: 10_000 }), { minutes: 1, keys: ['bob'] })
    expect(first?.admitted).toBeGreaterThanOrEqual(2 * LIMIT - 1)
  })
})
