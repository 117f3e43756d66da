import type { Random } from '../world/random.ts'
import { eachLimit } from './draw-entities.ts'
import type { PlannedLimit, Schedule } from './schedule.ts'

/**
 * In a fifth of the schedules some requests cost 0 tokens. In half of these a limit is paused as well: from the start,
 * or by a change and possibly only until the next one.
 */
export const withZeros = (random: Random, schedule: Schedule): Schedule => {
  if (!random.chance(0.2)) return schedule
  const share = random.pick([0.1, 0.5])
  const free = {
    ...schedule,
    requests: schedule.requests.map((request) =>
      random.chance(share) ? { ...request, tokens: 0 } : request,
    ),
  }
  return random.chance(0.5) ? withPaused(random, free) : free
}

const withPaused = (random: Random, schedule: Schedule): Schedule => {
  const drawn = eachLimit((limit) => (random.chance(0.3) ? paused(limit) : limit))
  const changes = schedule.changes.map(drawn)
  if (changes.length > 0) return { ...schedule, changes }
  return { ...schedule, entities: schedule.entities.map(drawn), policies: schedule.policies.map(drawn) }
}

const paused = (limit: PlannedLimit): PlannedLimit => ({
  ...limit,
  size: limit.size.kind === 'bucket' ? { ...limit.size, capacity: 0 } : { ...limit.size, limit: 0 },
})
