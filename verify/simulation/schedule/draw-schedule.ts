import type { Random } from '../world/random.ts'
import { createRandom } from '../world/random.ts'
import { withBudgets, withRuns } from './draw-budgets.ts'
import { withChanges, withSteadyChange } from './draw-changes.ts'
import { withClaims } from './draw-claims.ts'
import { drawClocks, EPOCH_NS } from './draw-clocks.ts'
import { drawEntities, roomIn } from './draw-entities.ts'
import { drawFaults, drawNetwork } from './draw-faults.ts'
import { withModes } from './draw-modes.ts'
import { withNames } from './draw-names.ts'
import { drawPauses } from './draw-pauses.ts'
import { withPolicies } from './draw-policies.ts'
import { withSlots } from './draw-slots.ts'
import { drawSteady } from './draw-steady.ts'
import { withTransitions } from './draw-transitions.ts'
import { withZeros } from './draw-zeros.ts'
import {
  callersIn,
  type PlannedEnding,
  type PlannedEntity,
  type PlannedRequest,
  type Schedule,
} from './schedule.ts'

const SECOND_NS = 1_000_000_000

/** The shares of schedules with steady excess demand, which are longer than the others, and of schedules with a silence. */
const STEADY_ONE_IN = 80
const PAUSES_ONE_IN = 8

/** Draws the whole schedule of a seed. */
export const drawSchedule = (seed: number): Schedule => {
  const random = createRandom(seed)
  const more = createRandom(seed ^ MORE)
  if (seed % STEADY_ONE_IN === 0) return withSteadyChange(more, drawSteady(seed, random))
  const times = createRandom(seed ^ TIMES)
  const runs = createRandom(seed ^ RUNS)
  if (seed % PAUSES_ONE_IN === 0) return withTransitions(times, withRuns(runs, drawPauses(seed, random)))
  const modes = createRandom(seed ^ MODES)
  const drawn = withModes(modes, withChanges(more, withPolicies(more, drawBursts(seed, random))))
  const claimed = withClaims(createRandom(seed ^ CLAIMS), drawn)
  const spending = withBudgets(runs, withRuns(runs, withZeros(createRandom(seed ^ ZEROS), claimed)))
  const timed = withTransitions(times, lasting(spending))
  const holding = lasting(withSlots(createRandom(seed ^ SLOTS), timed))
  return withNames(createRandom(seed ^ NAMES), holding)
}

/** A separate random generator for later additions, so that the rest of the schedule remains the same. */
const MORE = 0x2545f491
const MODES = 0x6c078965
const CLAIMS = 0x1b873593
const ZEROS = 0x3c6ef372
const TIMES = 0x5bd1e995
const SLOTS = 0x27d4eb2f
const RUNS = 0x2c1b3c6d
const NAMES = 0x85ebca6b

const drawBursts = (seed: number, random: Random): Schedule => lasting(drawAll(seed, random))

const lasting = (schedule: Schedule): Schedule => ({ ...schedule, durationNs: lastNs(schedule) })

/** The time of the last request or settlement. */
const lastNs = ({ durationNs, requests }: Schedule): number =>
  Math.max(
    durationNs,
    ...requests.map(({ atNs, ending }) => atNs + (typeof ending === 'object' ? ending.afterNs : 0)),
  )

const drawAll = (seed: number, random: Random): Schedule => {
  const durationNs = random.between(1, 6) * SECOND_NS
  const nodes = random.between(1, 4)
  const isCalm = random.chance(0.4)
  const entities = drawEntities(random)
  return {
    seed,
    kind: 'bursts',
    durationNs,
    // in some schedules a minute ends during the run
    startNs:
      EPOCH_NS +
      BigInt(random.chance(0.5) ? 5 * SECOND_NS : 60 * SECOND_NS - random.between(0, 2 * durationNs)),
    aheadNs: drawClocks(random, nodes),
    tickNs: random.pick([1, 1_000_000]),
    leaseTtlMs: random.pick([1000, 1000, 1000, 300, 0]),
    isLambda: random.chance(0.15),
    entities,
    policies: [],
    changes: [],
    network: drawNetwork(random, isCalm),
    requests: drawRequests(random, entities, durationNs, nodes),
    faults: isCalm ? [] : drawFaults(random, { durationNs, nodes, entities }),
  }
}

const drawRequests = (
  random: Random,
  entities: readonly PlannedEntity[],
  durationNs: number,
  nodes: number,
): readonly PlannedRequest[] => {
  const count = random.between(12, 60)
  const room = roomIn(entities, durationNs / SECOND_NS)
  const meanTokens = Math.max(1, (room * random.pick([0.7, 1.5, 3])) / count)
  const ids = callersIn({ entities })
  const burst = random.pick([1, 1, 3, 8])
  const usual = drawUsual(random)
  const requests: PlannedRequest[] = []
  let atNs = 0
  while (requests.length < count) {
    atNs += random.gap((burst * durationNs) / count)
    for (let left = random.between(1, 2 * burst - 1); left > 0; left--)
      requests.push({
        atNs: Math.round(atNs),
        node: random.between(0, nodes - 1),
        entityId: random.pick([ids[0] ?? '', ...ids.slice(1)]),
        tokens: Math.max(1, Math.round(meanTokens * (0.4 + 1.2 * random.next()))),
        ...usual(),
      })
  }
  return requests
}

/** The usual ending of the requests in one schedule. */
const drawUsual = (random: Random): (() => { readonly ending?: PlannedEnding }) => {
  const [settling, never] = [random.pick([0, 0.3, 1]), random.pick([0, 0, 0.1])]
  const meanNs = random.pick([1_000_000, 100_000_000, 1_500_000_000])
  const shares = random.pick<readonly [number | null, ...(number | null)[]]>([
    [1],
    [0, 0.3, 1, null],
    [0.5, 1, 1.5],
    [0, null],
  ])
  return () => {
    if (!random.chance(settling)) return {}
    if (random.chance(never)) return { ending: 'never' }
    return { ending: { afterNs: Math.round(random.gap(meanNs)), share: random.pick(shares) } }
  }
}
