import type { Random } from '../world/random.ts'
import { hasTransition, type PlannedRequest, type PlannedSlots, type Schedule } from './schedule.ts'

const SECOND_NS = 1_000_000_000

/**
 * In a quarter of the schedules without limits of another size at a time, keys, their parent and policies also limit the requests
 * in flight. Half of the holders renew their slots; some never end, as if their process had crashed; some end long after their
 * slots have expired.
 */
export const withSlots = (random: Random, schedule: Schedule): Schedule => {
  if (!random.chance(0.25) || hasTransition(schedule)) return schedule
  const owners = [...schedule.entities, ...schedule.policies].filter(() => random.chance(0.6))
  if (owners.length === 0) return schedule
  const leaseSeconds = random.pick([1, 1, 2, 3, 8])
  const slots = owners.map(({ id }): PlannedSlots => ({ of: id, limit: random.between(1, 5), leaseSeconds }))
  const held = drawHeld(random, leaseSeconds)
  return { ...schedule, slots, requests: schedule.requests.map(held) }
}

const drawHeld = (random: Random, leaseSeconds: number) => {
  const [renewing, never] = [random.pick([0, 0.5, 1]), random.pick([0, 0.1, 0.3])]
  const meanNs = random.pick([50_000_000, 500_000_000, 1.2 * leaseSeconds * SECOND_NS])
  return (request: PlannedRequest): PlannedRequest => {
    const renews = random.chance(renewing)
    if (typeof request.ending === 'object' && 'claims' in request.ending) return { ...request, renews }
    if (random.chance(never)) return { ...request, renews, ending: 'never' }
    const share = random.pick([0, 0.5, 1, null])
    return { ...request, renews, ending: { afterNs: Math.round(random.gap(meanNs)), share } }
  }
}
