import type { Random } from '../world/random.ts'
import type { PlannedClaim, PlannedLimit, PlannedRequest, Schedule } from './schedule.ts'

const MOST = Number.MAX_SAFE_INTEGER
/** In this share of the schedules, an administrator settles as well. */
const BY_ADMINS = 0.2
/** This share of the reservations is released. */
const RELEASED = 0.15

/**
 * In two fifths of the schedules with several keys, one key claims arbitrary use: the largest amounts, slightly more
 * than it reserved, or meters that it did not reserve. Each reservation is settled through any node, many of them
 * concurrently. In half of these schedules all keys do so, with small own limits below wide shared ones, so that a
 * charge beyond the own limits becomes visible.
 */
export const withClaims = (random: Random, schedule: Schedule): Schedule => {
  const keys = schedule.entities.filter(({ parentId }) => parentId !== null).map(({ id }) => id)
  const [first, ...others] = keys
  if (first === undefined || !random.chance(0.4)) return schedule
  const isNarrow = schedule.changes.length === 0 && random.chance(0.5)
  const drawn = isNarrow ? narrowed(random, schedule) : schedule
  const hostile = isNarrow ? keys : [random.pick([first, ...others])]
  const draw = claimsOf(random, drawn)
  return {
    ...drawn,
    requests: drawn.requests.map((request) =>
      hostile.includes(request.entityId) && random.chance(0.8) ? draw(request) : request,
    ),
  }
}

/** The key's own limits refill little during a run, so what its parents and policies have is out of its reach. */
const narrowed = (random: Random, schedule: Schedule): Schedule => {
  const capacity = random.pick([20, 50, 100])
  const both = (size: PlannedLimit['size']): readonly PlannedLimit[] => [
    { name: 'tpm', meter: 'tokens', refund: 'strict', size },
    { name: 'otpm', meter: 'output_tokens', refund: 'strict', size },
  ]
  const wide = both({ kind: 'bucket', capacity: 4000, fillsInSeconds: 60 })
  const small = both({ kind: 'bucket', capacity, fillsInSeconds: 600 })
  return {
    ...schedule,
    entities: schedule.entities.map((each) => ({ ...each, limits: each.parentId === null ? wide : small })),
    policies: schedule.policies.map((each) => ({ ...each, limits: wide })),
    requests: schedule.requests.map((request) => ({
      ...request,
      tokens: random.between(1, Math.ceil(capacity / 8)),
      ...(isBeyond(request) && { ending: 'never' as const }),
    })),
  }
}

/** Settled above its reservation by its own process, which is trusted. */
const isBeyond = ({ ending }: PlannedRequest): boolean =>
  typeof ending === 'object' && 'share' in ending && (ending.share ?? 0) > 1

const claimsOf = (random: Random, { aheadNs, durationNs }: Schedule) => {
  const share = random.chance(BY_ADMINS) ? 0.5 : 0
  const momentNs = Math.round(durationNs * (0.3 + 0.7 * random.next()))
  return (request: PlannedRequest): PlannedRequest => {
    const isTogether = request.atNs < momentNs && random.chance(0.6)
    const claims = {
      tokens: amountOf(random, request.tokens),
      ...(random.chance(0.4) && { requests: amountOf(random, 1) }),
      ...(random.chance(0.4) && { output_tokens: MOST }),
    }
    const ending: PlannedClaim = {
      afterNs: isTogether ? momentNs - request.atNs : random.between(0, 1_000_000_000),
      claims: random.chance(RELEASED) ? null : claims,
      node: random.between(0, aheadNs.length - 1),
      by: random.chance(share) ? 'admin' : 'caller',
    }
    return { ...request, ending }
  }
}

const amountOf = (random: Random, reserved: number): number =>
  random.pick([MOST, 2 ** 40, 10 * reserved, 2 * reserved, reserved + 1, Math.floor(reserved / 2)])
