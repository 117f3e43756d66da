import type { Random } from '../world/random.ts'
import type { PlannedLimit, Schedule } from './schedule.ts'

/**
 * In a quarter of the schedules without changes, some limits only warn, or have a rule for an unavailable table: one
 * rule per bucket, or any rule per limit.
 */
export const withModes = (random: Random, schedule: Schedule): Schedule => {
  if (schedule.changes.length > 0 || !random.chance(0.25)) return schedule
  const draw = random.chance(0.5) ? drawRules : drawSoft
  const drawn = <T extends { readonly limits: readonly PlannedLimit[] }>(owner: T): T => ({
    ...owner,
    limits: draw(random, owner.limits),
  })
  return {
    ...schedule,
    entities: schedule.entities.map(drawn),
    policies: schedule.policies.map(drawn),
  }
}

type Draw = (random: Random, limits: readonly PlannedLimit[]) => readonly PlannedLimit[]

const RULES = [{ onUnavailable: 'allow' }, { onUnavailable: 'local' }, {}] as const

const drawRules: Draw = (random, limits) => {
  const usual = random.pick(RULES)
  return limits.map((limit) => ({ ...limit, ...(random.chance(0.8) ? usual : random.pick(RULES)) }))
}

const drawSoft: Draw = (random, limits) => {
  const share = random.pick([0.5, 1])
  return limits.map((limit) =>
    random.chance(share) ? { ...limit, mode: random.pick(['warn', 'shadow']) } : limit,
  )
}
