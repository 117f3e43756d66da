import type { Random } from '../world/random.ts'
import { eachLimit } from './draw-entities.ts'
import type { PlannedLimit, Schedule } from './schedule.ts'

/** In a fifth of the schedules, some limits apply to windows that begin with their first charge. */
export const withRuns = (random: Random, schedule: Schedule): Schedule => {
  if (!random.chance(0.2)) return schedule
  const seconds = random.pick([1, 2, 3, 10, 120])
  return withLimits(schedule, (limit) => {
    const { size } = limit
    if (!random.chance(0.7)) return limit
    const most = size.kind === 'bucket' ? size.capacity : size.limit
    return { ...limit, size: { kind: 'run', limit: most, seconds: random.chance(0.8) ? seconds : 5 } }
  })
}

/**
 * In a fifth of the schedules without claims, limits on tokens are budgets: a token costs a micro-dollar, so that each request
 * reserves what it may cost, and is settled to what it did.
 */
export const withBudgets = (random: Random, schedule: Schedule): Schedule => {
  const hasClaims = schedule.requests.some(({ ending }) => typeof ending === 'object' && 'claims' in ending)
  if (hasClaims || !random.chance(0.2)) return schedule
  return withLimits(schedule, (limit) =>
    limit.meter === 'tokens' ? { ...limit, name: 'usd', meter: 'cost_usd_micros' } : limit,
  )
}

const withLimits = (schedule: Schedule, drawn: (limit: PlannedLimit) => PlannedLimit): Schedule => {
  const ofOwner = eachLimit(drawn)
  return {
    ...schedule,
    entities: schedule.entities.map(ofOwner),
    policies: schedule.policies.map(ofOwner),
    changes: schedule.changes.map(ofOwner),
  }
}
