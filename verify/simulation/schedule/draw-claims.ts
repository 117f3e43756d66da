import type { Random } from '../world/random.ts'
import type { PlannedAsk, PlannedClaim, PlannedLimit, Schedule } from './schedule.ts'

const MOST = Number.MAX_SAFE_INTEGER
/** One in so many of these schedules is settled by an administrator as well. */
const BY_ADMINS = 0.2

/**
 * In two fifths of the schedules with several keys, one of the keys claims to have used what it likes: the greatest amounts, a
 * little more than it reserved, meters that it has not reserved; each reservation through any node, many of them at once. In
 * half of these all keys do, with small limits of their own below wide ones, so that what is charged beyond them shows.
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
    asks: drawn.asks.map((ask) => (hostile.includes(ask.entityId) && random.chance(0.8) ? draw(ask) : ask)),
  }
}

/** Little comes back to a key while a schedule runs, and what its parents and policies have is out of its reach. */
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
    asks: schedule.asks.map((ask) => ({
      ...ask,
      tokens: random.between(1, Math.ceil(capacity / 8)),
      ...(isBeyond(ask) && { ending: 'never' as const }),
    })),
  }
}

/** Settled by its own process to more than it reserved, which is trusted. */
const isBeyond = ({ ending }: PlannedAsk): boolean =>
  typeof ending === 'object' && 'share' in ending && (ending.share ?? 0) > 1

const claimsOf = (random: Random, { aheadNs, durationNs }: Schedule) => {
  const share = random.chance(BY_ADMINS) ? 0.5 : 0
  const momentNs = Math.round(durationNs * (0.3 + 0.7 * random.next()))
  return (ask: PlannedAsk): PlannedAsk => {
    const isTogether = ask.atNs < momentNs && random.chance(0.6)
    const ending: PlannedClaim = {
      afterNs: isTogether ? momentNs - ask.atNs : random.between(0, 1_000_000_000),
      claims: {
        tokens: amountOf(random, ask.tokens),
        ...(random.chance(0.4) && { requests: amountOf(random, 1) }),
        ...(random.chance(0.4) && { output_tokens: MOST }),
      },
      node: random.between(0, aheadNs.length - 1),
      by: random.chance(share) ? 'admin' : 'caller',
    }
    return { ...ask, ending }
  }
}

const amountOf = (random: Random, reserved: number): number =>
  random.pick([MOST, 2 ** 40, 10 * reserved, 2 * reserved, reserved + 1, Math.floor(reserved / 2)])
