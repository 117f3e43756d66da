import fc from 'fast-check'
import type { Reservation } from '../../src/core/decide/decision.ts'
import type { TestNode, TestWorld } from './test-limiter.ts'

export const NODES = 3

type Act =
  | { readonly act: 'reserve'; readonly node: number; readonly cost: number }
  | { readonly act: 'settle'; readonly pick: number; readonly share: number }
  | { readonly act: 'drain' }

const COSTS = [0.15, 0.3, 0.5, 0.5] as const

const reserving: fc.Arbitrary<Act> = fc.record({
  act: fc.constant('reserve' as const),
  node: fc.nat(NODES - 1),
  cost: fc.nat(3),
})

const settling: fc.Arbitrary<Act> = fc.record({
  act: fc.constant('settle' as const),
  pick: fc.nat(100),
  share: fc.constantFrom(0, 0, 0, 0.3, 1),
})

const draining: fc.Arbitrary<Act> = fc.constant({ act: 'drain' as const })

/** The acts of nodes. */
export const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: reserving },
  { weight: 4, arbitrary: settling },
  { weight: 1, arbitrary: draining },
)

/** Moments with concurrent acts on several nodes. Waits are parts of the window, costs of the capacity. */
export const moments = fc.array(
  fc.record({
    wait: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.25, noNaN: true })),
    acts: fc.array(acts, { minLength: 1, maxLength: 4 }),
  }),
  { minLength: 4, maxLength: 40 },
)

export interface Use {
  readonly at: bigint
  amount: number
}

/** Acts on its own nodes, and logs what was used: the reserved or the settled amount. */
export const createUseLog = (
  world: TestWorld,
  capacity: number,
  nodes: readonly TestNode[] = Array.from({ length: NODES }, () => world.join()),
  /** Requested shares of the capacity, by the values they were drawn as. */
  shares: readonly [number, number, number, number] = COSTS,
) => {
  const uses: Use[] = []
  const open: { reservation: Reservation; use: Use }[] = []
  const settle = async (pick: number, share: number): Promise<void> => {
    const [held] = open.splice(pick % Math.max(1, open.length), 1)
    if (!held) return
    held.use.amount = Math.floor(held.use.amount * share)
    await held.reservation.settle({ tokens: held.use.amount })
  }
  const reserve = async (node: number, share: number): Promise<void> => {
    const use = { at: world.clock.now(), amount: Math.max(1, Math.floor(capacity * share)) }
    const request = { entityId: 'key', cost: { tokens: use.amount }, settles: true }
    const decision = await (nodes[node] ?? world.node).limiter.decide(request)
    if (!decision.allowed) return
    uses.push(use)
    open.push({ reservation: decision.reservation, use })
  }
  /** Consumes what is available in small parts, and keeps it: every excessive refund becomes visible. */
  const drain = async (): Promise<void> => {
    const amount = Math.max(1, Math.floor(capacity / 20))
    for (let parts = 0; parts < 40; parts++) {
      const decision = await world.node.limiter.decide({
        entityId: 'key',
        cost: { tokens: amount },
        settles: false,
      })
      if (!decision.allowed) return
      uses.push({ at: world.clock.now(), amount })
    }
  }
  const act = (step: Act): Promise<void> => {
    if (step.act === 'drain') return drain()
    return step.act === 'settle' ? settle(step.pick, step.share) : reserve(step.node, shares[step.cost] ?? 1)
  }
  return { uses, act }
}

/**
 * The most that a span of the uses, which are in order of time, holds beyond capacity and refill, in ns of the bucket; at most
 * 0 if the limit holds.
 */
export const worstExcess = (uses: readonly Use[], capacity: number, tokenNs: bigint): bigint => {
  const full = BigInt(capacity) * tokenNs
  let [worst, used] = [0n, 0n]
  /** The least that was used before a span, less the time at which it begins. */
  let least: bigint | undefined
  for (const { at, amount } of uses) {
    if (least === undefined || used - at < least) least = used - at
    used += BigInt(amount) * tokenNs
    const excess = used - at - least - full
    if (excess > worst) worst = excess
  }
  return worst
}

/** The most that was used in any window of `windowNs`, at any offset. */
export const mostInAnyWindow = (uses: readonly Use[], windowNs: bigint): number => {
  let most = 0
  for (const { at: end } of uses) {
    const begin = end - windowNs
    let within = 0
    for (const { at, amount } of uses) if (at > begin && at <= end) within += amount
    most = Math.max(most, within)
  }
  return most
}
