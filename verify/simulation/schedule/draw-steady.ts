import type { Random } from '../world/random.ts'
import { drawClocks, EPOCH_NS } from './draw-clocks.ts'
import { drawNetwork } from './draw-faults.ts'
import type { PlannedLimit, PlannedRequest, Schedule } from './schedule.ts'

const SECOND_NS = 1_000_000_000
const REQUESTS_A_SECOND = 30

/** One limit, with 1.5 to 3 times its allowed amount requested evenly from the start. */
export const drawSteady = (seed: number, random: Random): Schedule => {
  const nodes = random.between(1, 4)
  const size = drawSize(random)
  const seconds = secondsOf(size)
  const perSecond = size.kind === 'minute' ? REQUESTS_A_SECOND / 4 : REQUESTS_A_SECOND
  const isCalm = random.chance(0.7)
  const limit: PlannedLimit = { name: 'tpm', meter: 'tokens', size, refund: 'strict' }
  return {
    seed,
    kind: 'steady',
    durationNs: Math.round(seconds * SECOND_NS),
    startNs: EPOCH_NS,
    aheadNs: isCalm ? Array.from({ length: nodes }, () => 0) : drawClocks(random, nodes),
    tickNs: random.pick([1, 1_000_000]),
    leaseTtlMs: random.pick([1000, 1000, 300, 0]),
    isLambda: false,
    entities: [{ id: 'key', parentId: null, limits: [limit] }],
    policies: [],
    changes: [],
    network: { ...drawNetwork(random, isCalm), meanDelayNs: 2_000_000 },
    requests: drawDemand(random, { nodes, seconds, perSecond }),
    faults: [],
  }
}

/** Two minutes, or long enough that a window's limit should be used up for the last time just before the end. */
const secondsOf = (size: PlannedLimit['size']): number => {
  if (size.kind === 'bucket') return 36
  if (size.kind !== 'sliding') return 120
  const { seconds, slots } = size
  return (WINDOWS * seconds * (slots + 1)) / slots + 0.95 * seconds
}

const WINDOWS = 4

/** The average tokens of a request: few, so that the remainder of a limit is seldom too small for the next one. */
const MEAN_TOKENS = 1.5
/** A slot holds several requests. */
const SLIDING: readonly [Sliding, ...Sliding[]] = [
  { seconds: 2, slots: 10 },
  { seconds: 4, slots: 10 },
  { seconds: 4, slots: 30 },
]

interface Sliding {
  readonly seconds: number
  readonly slots: number
}

/** One third to two thirds of the requested amount. */
const drawSize = (random: Random): PlannedLimit['size'] => {
  const rate = REQUESTS_A_SECOND * MEAN_TOKENS * random.pick([0.35, 0.5, 0.65])
  const kind = random.pick(['bucket', 'sliding', 'minute'] as const)
  if (kind === 'minute') return { kind, limit: Math.round(rate * 15) }
  if (kind === 'bucket') return { kind, capacity: 10 * Math.round(rate / 5), fillsInSeconds: 2 }
  const { seconds, slots } = random.pick(SLIDING)
  return { kind, limit: Math.round(rate * seconds), seconds, slots }
}

const drawDemand = (
  random: Random,
  {
    nodes,
    seconds,
    perSecond,
  }: { readonly nodes: number; readonly seconds: number; readonly perSecond: number },
): readonly PlannedRequest[] =>
  Array.from({ length: Math.floor(seconds * perSecond) }, (_, index) => ({
    atNs: Math.round(((index + random.next()) * SECOND_NS) / perSecond),
    node: random.between(0, nodes - 1),
    entityId: 'key',
    tokens: random.between(1, 2),
  }))
