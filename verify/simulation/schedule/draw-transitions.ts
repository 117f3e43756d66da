import type { Random } from '../world/random.ts'
import { eachLimit } from './draw-entities.ts'
import { type Schedule, TRANSITION_NS } from './schedule.ts'

/**
 * In a quarter of the schedules, limits have another size until, or from, a moment in the middle of the run. The clocks of
 * nodes may differ, so each reaches that moment at another time.
 */
export const withTransitions = (random: Random, schedule: Schedule): Schedule => {
  if (!random.chance(0.25)) return schedule
  const timed = eachLimit((limit) => {
    if (!random.chance(0.7)) return limit
    const [when, factor] = [random.pick(['before', 'after'] as const), random.pick([0, 0.1, 0.5, 2, 10])]
    return { ...limit, scheduled: { when, factor } }
  })
  const entities = schedule.entities.map(timed)
  const policies = schedule.policies.map(timed)
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
