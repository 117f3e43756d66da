import type { Random } from '../world/random.ts'
import { type PlannedLimit, type Schedule, TRANSITION_NS } from './schedule.ts'

/**
 * In a quarter of the schedules, limits have another size until, or from, a moment in the middle of the run. The clocks of
 * nodes may differ, so each reaches that moment at another time.
 */
export const withTransitions = (random: Random, schedule: Schedule): Schedule => {
  if (!random.chance(0.25)) return schedule
  const timed = (limit: PlannedLimit): PlannedLimit =>
    random.chance(0.7)
      ? {
          ...limit,
          scheduled: {
            when: random.pick(['before', 'after']),
            factor: random.pick([0, 0.1, 0.5, 2, 10]),
          },
        }
      : limit
  const withLimits = <T extends { readonly limits: readonly PlannedLimit[] }>(owner: T): T => ({
    ...owner,
    limits: owner.limits.map(timed),
  })
  const entities = schedule.entities.map(withLimits)
  const policies = schedule.policies.map(withLimits)
  return { ...schedule, entities, policies, startNs: startBefore(random, schedule) }
}

/** So that the transition is within the run, or at the time of some request, where requests are frequent. */
const startBefore = (random: Random, { startNs, durationNs, requests }: Schedule): bigint => {
  const [first, ...others] = requests
  if (first === undefined) return startNs
  const atNs = random.chance(0.5)
    ? durationNs * (0.1 + 0.8 * random.next())
    : random.pick([first, ...others]).atNs
  return TRANSITION_NS - BigInt(Math.round(atNs))
}
