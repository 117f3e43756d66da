import fc from 'fast-check'
import type { Denied, Reservation } from '../../src/core/decide/decision.ts'
import { larger } from '../../src/core/model/time.ts'
import { createHeldStore, type End, quiet } from './held-store.ts'
import { entityOwner, limitsOf } from './test-config.ts'
import { createTestNode, createTestWorld } from './test-limiter.ts'
import type { Use } from './use-log.ts'

const NODES = 3

type Act =
  | { readonly act: 'ask'; readonly node: number; readonly tokens: number; readonly settles: boolean }
  | { readonly act: 'settle'; readonly pick: number; readonly share: number }
  | { readonly act: 'release'; readonly pick: number }
  | { readonly act: 'flush'; readonly node: number }
  | { readonly act: 'let go'; readonly pick: number; readonly end: End }
  | { readonly act: 'wait'; readonly share: number }
  | { readonly act: 'change'; readonly capacity: number; readonly isHeardOf: boolean }

const node = fc.nat(NODES - 1)
const pick = fc.nat(50)

const asking: fc.Arbitrary<Act> = fc.record({
  act: fc.constant('ask' as const),
  node,
  tokens: fc.integer({ min: 0, max: 60 }),
  settles: fc.boolean(),
})

const settling: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ act: fc.constant('settle' as const), pick, share: fc.constantFrom(0, 0.3, 1) }),
  fc.record({ act: fc.constant('release' as const), pick }),
)

const flushing: fc.Arbitrary<Act> = fc.record({ act: fc.constant('flush' as const), node })

const lettingGo = (...ends: readonly End[]): fc.Arbitrary<Act> =>
  fc.record({ act: fc.constant('let go' as const), pick, end: fc.constantFrom(...ends) })

const waiting: fc.Arbitrary<Act> = fc.record({
  act: fc.constant('wait' as const),
  share: fc.double({ min: 0, max: 0.3, noNaN: true }),
})

/** `isHeardOf`: seen by every node at once; otherwise by each at its next read. */
const changing: fc.Arbitrary<Act> = fc.record({
  act: fc.constant('change' as const),
  capacity: fc.constantFrom(60, 100, 250),
  isHeardOf: fc.boolean(),
})

/** Calls overtake each other, and each gets a response. */
export const calmPlans = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: asking },
    { weight: 2, arbitrary: settling },
    { weight: 1, arbitrary: flushing },
    { weight: 8, arbitrary: lettingGo('delivered') },
  ),
  { minLength: 5, maxLength: 80 },
)

/** As calm plans, while the limit of `key` is changed. */
export const changingPlans = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: asking },
    { weight: 2, arbitrary: settling },
    { weight: 1, arbitrary: changing },
    { weight: 8, arbitrary: lettingGo('delivered') },
  ),
  { minLength: 5, maxLength: 80 },
)

/** Calm plans in which some calls are rejected, or lost on either way, and time passes meanwhile. */
export const roughPlans = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: asking },
    { weight: 2, arbitrary: settling },
    { weight: 1, arbitrary: waiting },
    { weight: 8, arbitrary: lettingGo('delivered') },
    { weight: 1, arbitrary: lettingGo('applied and lost', 'lost', 'refused') },
  ),
  { minLength: 5, maxLength: 80 },
)

/** 100 tokens a minute for `key`, and 150 for its `project`, of which each window is `WINDOW_NS`. */
export const CAPACITIES = { key: 100, project: 150 } as const
export const WINDOW_NS = 60_000_000_000n

/** A family on several nodes whose calls a plan releases one by one, and a log of the outcomes. */
export const createFamilyLog = () => {
  const world = createTestWorld()
  world.config.putEntity('project')
  world.config.putEntity('key', { parentId: 'project' })
  const putLimit = (id: string, capacity: number): void =>
    world.config.putLimits(entityOwner(id), '_default_', limitsOf({ tpm: [capacity, capacity / 60] }))
  for (const id of ['key', 'project'] as const) putLimit(id, CAPACITIES[id])
  const buckets = createHeldStore(world.buckets)
  const nodes = Array.from({ length: NODES }, () => createTestNode({ ...world, buckets }))
  const at = (index: number) => nodes[index] ?? world.node

  const underWay = new Set<Promise<void>>()
  const open: { readonly reservation: Reservation; readonly use: Use }[] = []
  const log = {
    uses: [] as Use[],
    requests: 0,
    denied: 0,
    deniedBy: [] as string[],
    settlingNs: 0n,
    waitingNs: 0n,
  }

  const start = (work: Promise<void>): void => {
    const running = work.finally(() => underWay.delete(running))
    underWay.add(running)
  }
  const decide = async (index: number, tokens: number, settles: boolean): Promise<void> => {
    const use = { at: world.clock.now(), amount: tokens }
    const cost = { requests: 1, tokens }
    const decision = await at(index).limiter.decide({ entityId: 'key', cost, settles })
    if (!decision.allowed) return count(decision)
    log.waitingNs = larger(log.waitingNs, world.clock.now() - use.at)
    log.uses.push(use)
    log.requests++
    if (settles) open.push({ reservation: decision.reservation, use })
  }
  const count = ({ unavailable, violations }: Denied): void => {
    if (!unavailable) log.denied++
    for (const { state } of violations) log.deniedBy.push(state.entityId)
  }
  /** `share` of what was reserved is used; undefined: it is released. */
  const end = async (index: number, share: number | undefined): Promise<void> => {
    const [held] = open.splice(index % Math.max(1, open.length), 1)
    if (!held) return
    const since = world.clock.now()
    held.use.amount = Math.floor(held.use.amount * (share ?? 0))
    if (share === undefined) log.requests--
    const used = { requests: 1, tokens: held.use.amount }
    await (share === undefined ? held.reservation.release() : held.reservation.settle(used))
    log.settlingNs += world.clock.now() - since
  }
  const take = async (step: Act): Promise<unknown> => {
    switch (step.act) {
      case 'let go':
        return buckets.letGo(step.pick, step.end)
      case 'wait':
        return world.clock.advance(BigInt(Math.floor(step.share * Number(WINDOW_NS))))
      case 'change':
        putLimit('key', step.capacity)
        if (step.isHeardOf) for (const { limiter } of nodes) limiter.forget()
        return
      case 'ask':
        return start(decide(step.node, step.tokens, step.settles))
      case 'settle':
        return start(end(step.pick, step.share))
      case 'release':
        return start(end(step.pick, undefined))
      case 'flush':
        return start(at(step.node).limiter.flush({ all: true }))
    }
  }
  return {
    world,
    log,
    async run(plan: readonly Act[]) {
      for (const step of plan) {
        await take(step)
        await quiet()
      }
      await buckets.letAllGo()
    },
    /** Settles open reservations at their reserved amounts, and writes all counts. */
    async finish() {
      while (open.length > 0) {
        start(end(0, 1))
        await buckets.letAllGo()
      }
      for (const { limiter } of nodes) start(limiter.flush({ all: true }))
      await buckets.letAllGo()
    },
    /** Requests still without a response. */
    underWay: () => underWay.size,
  }
}
