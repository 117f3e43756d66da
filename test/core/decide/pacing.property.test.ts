import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runs } from '../../property-runs.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld } from '../test-limiter.ts'

/** 100 tokens, refilled at 10 per second. */
const [BOUND, RATE] = [100, 10]

/** A request, some time after the one before it. */
const requests = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 4_000 }),
    tokens: fc.integer({ min: 1, max: 120 }),
    factor: fc.constantFrom(0.1, 0.25, 0.5, 0.9),
    /** The share of the tokens that are used in the end; null: it stays as reserved. */
    used: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  }),
  { maxLength: 80 },
)

const start = () => {
  const { config, clock, node } = createTestWorld()
  config.putEntity('alice')
  config.putModel('gpt-4')
  config.putLimits(entityOwner('alice'), 'gpt-4', limitsOf({ tpm: [BOUND, RATE] }))
  const decide = (tokens: number, factor: number) =>
    node.limiter.decide({
      entityId: 'alice',
      resource: 'gpt-4',
      cost: { tokens },
      settles: true,
      pace: { factor, recoveryNs: 1_000n * SECOND, since: 1n, onDenial() {} },
    })
  return { clock, decide }
}

interface Admitted {
  readonly at: number
  /** Tokens divided by the factor. */
  readonly price: number
}

/** The most by which the prices of an interval exceed what the limit holds and refills in it. */
const mostExcess = (admitted: readonly Admitted[]): number => {
  let most = 0
  for (const [from, first] of admitted.entries()) {
    let sum = 0
    for (const { at, price } of admitted.slice(from)) {
      sum += price
      most = Math.max(most, sum - BOUND - (RATE * (at - first.at)) / 1000)
    }
  }
  return most
}

test('in any time the amounts, each divided by its factor, are within the limit, beside one that is larger', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async (all) => {
      const { clock, decide } = start()
      const admitted: Admitted[] = []
      for (const { afterMs, tokens, factor } of all) {
        clock.advance(BigInt(afterMs) * 1_000_000n)
        const decision = await decide(tokens, factor)
        if (decision.allowed) admitted.push({ at: Number(clock.monotonic()) / 1e6, price: tokens / factor })
      }
      const larger = Math.max(0, ...admitted.map(({ price }) => price - BOUND))
      expect(mostExcess(admitted)).toBeLessThanOrEqual(larger + 1e-6)
    }),
    { numRuns: runs(150) },
  )
})

type Start = ReturnType<typeof start>

/** Waits as a denial says, less a tenth of a second, then the rest. */
const retry = async ({ clock, decide }: Start, tokens: number, factor: number, waitNs: bigint) => {
  const rest = waitNs < SECOND / 10n ? waitNs : SECOND / 10n
  clock.advance(waitNs - rest)
  if (rest < waitNs) expect((await decide(tokens, factor)).allowed).toBe(false)
  clock.advance(rest)
  expect((await decide(tokens, factor)).allowed).toBe(true)
}

test('a request is admitted after the wait of its denial, and not a tenth of a second before', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async (all) => {
      const started = start()
      for (const { afterMs, tokens, factor, used } of all) {
        started.clock.advance(BigInt(afterMs) * 1_000_000n)
        const decision = await started.decide(tokens, factor)
        if (decision.allowed) await decision.reservation.settle({ tokens: Math.floor(tokens * (used ?? 1)) })
        else if (decision.retryAfterNs === null) expect(tokens).toBeGreaterThan(BOUND)
        else await retry(started, tokens, factor, decision.retryAfterNs)
      }
    }),
    { numRuns: runs(150) },
  )
})
