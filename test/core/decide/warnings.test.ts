import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import { warningsOf } from '../../../src/core/decide/decision-log.ts'
import { entityOwner } from '../test-config.ts'
import { createTestWorld } from '../test-limiter.ts'

const start = (...limits: readonly object[]) => {
  const { config, node } = createTestWorld()
  config.putEntity('key')
  config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))
  const decide = (requests: number): Promise<Decision> =>
    node.limiter.decide({ entityId: 'key', cost: { requests }, settles: false })
  return { decide, counts: node.counts }
}

const kinds = (decision: Decision) => warningsOf(decision).map(({ kind, state }) => [kind, state.limit.name])

describe('warnings', () => {
  test('begin at four fifths, or at the configured threshold', async () => {
    const { decide, counts } = start(
      { name: 'rpm', capacity: 10, refill_rate: 0.01 },
      { name: 'rpd', algorithm: 'fixed_window', limit: 10, window: 'day', warn_at: 0.5 },
    )
    expect(kinds(await decide(4))).toEqual([])
    expect(kinds(await decide(1))).toEqual([['near', 'rpd']])
    expect(kinds(await decide(3))).toEqual([
      ['near', 'rpm'],
      ['near', 'rpd'],
    ])
    expect(counts.limits_near).toBe(3)
  })

  test('leave out the violations, and begin with would-be violations', async () => {
    const { decide, counts } = start(
      { name: 'rpm', capacity: 10, refill_rate: 0.01 },
      { name: 'rps', capacity: 2, refill_rate: 0.01, mode: 'warn' },
      { name: 'rph', capacity: 12, refill_rate: 0.01 },
    )
    await decide(9)
    expect(kinds(await decide(1))).toEqual([
      ['near', 'rpm'],
      ['near', 'rph'],
    ])
    const beyond = await decide(2)
    expect(beyond.allowed).toBe(false)
    expect(kinds(beyond)).toEqual([
      ['exceeded', 'rps'],
      ['near', 'rph'],
    ])
    expect(counts.limits_exceeded).toBe(2)
  })
})
