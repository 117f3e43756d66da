import type { Random } from '../world/random.ts'
import { redrawn } from './draw-entities.ts'
import type { PlannedChange, Schedule } from './schedule.ts'

/** In a quarter of the schedules, limits change during the run, once or a few times. */
export const withChanges = (random: Random, schedule: Schedule): Schedule => {
  if (!random.chance(0.25)) return schedule
  const [first, ...others] = [...schedule.entities, ...schedule.policies].filter(
    ({ limits }) => limits.length > 0,
  )
  if (first === undefined) return schedule
  const change = (): PlannedChange => {
    const { id, limits } = random.pick([first, ...others])
    return {
      atNs: random.between(0, schedule.durationNs),
      node: random.chance(0.5) ? null : random.between(0, schedule.aheadNs.length - 1),
      of: id,
      limits: limits.map((limit) => (random.chance(0.8) ? redrawn(random, limit) : limit)),
    }
  }
  const changes = Array.from({ length: random.pick([1, 2, 4]) }, change)
  return { ...schedule, changes: changes.toSorted((a, b) => a.atNs - b.atNs) }
}

/** Under steady demand, the rate of a token bucket changes halfway. */
export const withSteadyChange = (random: Random, schedule: Schedule): Schedule => {
  const [entity] = schedule.entities
  const [limit] = entity?.limits ?? []
  if (entity === undefined || limit?.size.kind !== 'bucket' || !random.chance(0.8)) return schedule
  const { capacity, fillsInSeconds } = limit.size
  const size = { kind: 'bucket', capacity, fillsInSeconds: fillsInSeconds * random.pick([0.7, 2]) } as const
  const atNs = random.between(0.3 * schedule.durationNs, 0.7 * schedule.durationNs)
  return {
    ...schedule,
    changes: [{ atNs, node: random.pick([null, 0]), of: entity.id, limits: [{ ...limit, size }] }],
  }
}
