import type { NetworkFaults } from '../world/network.ts'
import type { Random } from '../world/random.ts'
import type { PlannedEntity, PlannedFault } from './schedule.ts'

const SECOND_NS = 1_000_000_000

export const drawNetwork = (random: Random, isCalm: boolean): NetworkFaults => {
  const meanDelayNs = random.pick([200_000, 2_000_000, 10_000_000])
  if (isCalm) return { meanDelayNs, slow: 0, lostBefore: 0, lostAfter: 0, throttled: 0 }
  return {
    meanDelayNs,
    slow: random.pick([0, 0, 0.02, 0.1]),
    lostBefore: random.pick([0, 0.02, 0.1]),
    lostAfter: random.pick([0, 0.02, 0.1]),
    throttled: random.pick([0, 0.02, 0.2]),
  }
}

interface Bounds {
  readonly durationNs: number
  readonly nodes: number
  readonly entities: readonly PlannedEntity[]
}

/** Most schedules have none of a kind, others a few. */
export const drawFaults = (
  random: Random,
  { durationNs, nodes, entities }: Bounds,
): readonly PlannedFault[] => {
  const some = (draw: () => PlannedFault): readonly PlannedFault[] =>
    Array.from({ length: random.pick([0, 0, 1, 3]) }, draw)
  const moment = () => ({
    atNs: random.between(0, durationNs),
    node: random.between(0, nodes - 1),
  })
  const crash = (): PlannedFault => ({ fault: 'crash', ...moment() })
  const freeze = (): PlannedFault => ({
    fault: 'freeze',
    ...moment(),
    ns: random.between(1, random.pick([100, 1500, 4000])) * 1_000_000,
    stopsMonotonic: random.chance(0.7),
  })
  const step = (): PlannedFault => ({
    fault: 'step',
    ...moment(),
    ns: Math.round((random.next() - 0.5) * random.pick([0.2, 2, 4]) * SECOND_NS),
  })
  const reset = (): PlannedFault => ({
    fault: 'reset',
    ...moment(),
    entityId: random.pick([entities[0]?.id ?? '', ...entities.slice(1).map(({ id }) => id)]),
  })
  return [...some(crash), ...some(freeze), ...some(step), ...(random.chance(0.25) ? some(reset) : [])]
}
