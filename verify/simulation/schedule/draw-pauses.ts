import type { Random } from '../world/random.ts'
import { EPOCH_NS } from './draw-clocks.ts'
import { amountOf } from './draw-entities.ts'
import { drawNetwork } from './draw-faults.ts'
import type { PlannedEnding, PlannedFault, PlannedLimit, PlannedRequest, Schedule } from './schedule.ts'

const MS = 1_000_000
const SECOND_NS = 1000 * MS

/**
 * Many requests take leases or reserve. A silence follows, in which leases expire, limits refill and nodes may freeze.
 * Then requests use all that is available, and again after every reservation has been settled to 0. An amount that was
 * held too long shows as unused, an excessive refund as over-admission.
 */
export const drawPauses = (seed: number, random: Random): Schedule => {
  const size = drawSize(random)
  const nodes = random.between(1, 3)
  const [crowdNs, silenceNs] = [300 * MS, drawSilence(random, size)]
  const durationNs = crowdNs + silenceNs + 2 * SECOND_NS
  const isCalm = random.chance(0.5)
  // a minute ends during the silence
  const untilMinuteNs = crowdNs + Math.round(silenceNs * random.next())
  return {
    seed,
    kind: 'bursts',
    durationNs,
    startNs: EPOCH_NS + BigInt(60 * SECOND_NS - untilMinuteNs),
    aheadNs: Array.from({ length: nodes }, () => 0),
    tickNs: random.pick([1, MS]),
    leaseTtlMs: 1000,
    isLambda: random.chance(0.3),
    entities: [
      { id: 'key', parentId: null, limits: [{ name: 'tpm', meter: 'tokens', size, refund: 'strict' }] },
    ],
    policies: [],
    changes: [],
    network: { ...drawNetwork(random, isCalm), slow: 0, meanDelayNs: 2 * MS },
    requests: drawRequests(random, { amount: amountOf(size), nodes, crowdNs, silenceNs }),
    faults: isCalm ? [] : drawFreezes(random, { nodes, crowdNs, silenceNs }),
  }
}

const drawSize = (random: Random): PlannedLimit['size'] => {
  const kind = random.pick(['bucket', 'bucket', 'sliding', 'minute'] as const)
  const amount = random.pick([200, 400, 1000])
  if (kind === 'bucket') return { kind, capacity: amount, fillsInSeconds: random.pick([20, 60]) }
  if (kind === 'minute') return { kind, limit: amount }
  return { kind, limit: amount, seconds: random.pick([5, 10]), slots: random.pick([5, 10, 30]) }
}

/** Until a good part of a limit has refilled. */
const drawSilence = (random: Random, size: PlannedLimit['size']): number => {
  if (size.kind === 'minute') return random.between(100 * MS, SECOND_NS)
  const seconds =
    size.kind === 'bucket'
      ? size.fillsInSeconds * (0.3 + 0.6 * random.next())
      : size.seconds * (1 + 0.3 * random.next())
  return Math.round(seconds * SECOND_NS)
}

interface Phases {
  readonly nodes: number
  readonly crowdNs: number
  readonly silenceNs: number
}

const drawRequests = (
  random: Random,
  phases: Phases & { readonly amount: number },
): readonly PlannedRequest[] => {
  const { amount, nodes, crowdNs, silenceNs } = phases
  const crowd = (fromNs: number, lastsNs: number, count: number, share: number, ending?: PlannedEnding) =>
    Array.from(
      { length: count },
      (): PlannedRequest => ({
        atNs: fromNs + random.between(0, lastsNs),
        node: random.between(0, nodes - 1),
        entityId: 'key',
        tokens: Math.max(1, Math.round(amount * share * (0.5 + random.next()))),
        ...(ending !== undefined && { ending }),
      }),
    )
  const isReserving = random.chance(0.4)
  const settled: PlannedEnding = { afterNs: silenceNs + 800 * MS, share: random.pick([0, 0.2]) }
  const all = crowdNs + silenceNs
  return [
    ...(isReserving ? crowd(0, crowdNs, 10, 0.1, settled) : crowd(0, crowdNs, 14, 0.02)),
    ...crowd(all, 400 * MS, 30, 0.04),
    ...crowd(all + 1400 * MS, 400 * MS, 24, 0.05),
  ]
}

const drawFreezes = (random: Random, { nodes, crowdNs, silenceNs }: Phases): readonly PlannedFault[] =>
  Array.from({ length: nodes }, (_, node) => node)
    .filter(() => random.chance(0.7))
    .map((node) => ({ fault: 'freeze', atNs: crowdNs, node, ns: silenceNs, stopsMonotonic: true }))
