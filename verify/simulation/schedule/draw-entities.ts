import type { Random } from '../world/random.ts'
import type { PlannedEntity, PlannedLimit } from './schedule.ts'

/** One entity, or several of one project, each with one or two limits of any algorithm. */
export const drawEntities = (random: Random): readonly PlannedEntity[] => {
  if (random.chance(0.5)) return [{ id: 'key', parentId: null, limits: drawLimits(random, 1) }]
  const keys = random.between(1, 3)
  const own = random.pick([0, 0.6, 1.2])
  return [
    { id: 'project', parentId: null, limits: drawLimits(random, 1) },
    ...Array.from({ length: keys }, (_, index) => ({
      id: `key-${index}`,
      parentId: 'project',
      limits: own === 0 ? [] : drawLimits(random, own / keys),
    })),
  ]
}

const drawLimits = (random: Random, share: number): readonly PlannedLimit[] => {
  const refund = random.chance(0.2) ? 'full' : 'strict'
  const base = random.pick([10, 50, 200, 1000, 4000])
  const names = random.chance(0.65) ? (['tpm'] as const) : (['tpm', 'rpm'] as const)
  return names.map((name) => {
    const meter = name === 'tpm' ? 'tokens' : 'requests'
    // small, so that limits on requests deny about as often as limits on tokens
    const amount = Math.max(2, Math.round(share * (name === 'tpm' ? base : random.between(8, 60))))
    return { name, meter, size: drawSize(random, amount), refund }
  })
}

/** Their time per token is a whole number of ns. */
const CAPACITIES = [2, 4, 5, 10, 20, 40, 50, 100, 200, 250, 400, 500, 1000, 2000, 4000]

const drawSize = (random: Random, amount: number): PlannedLimit['size'] => {
  const kind = random.pick(['bucket', 'bucket', 'sliding', 'minute'] as const)
  if (kind === 'bucket') {
    const capacity = nearest(CAPACITIES, amount)
    return { kind, capacity, fillsInSeconds: random.pick([1, 2, 5, 20, 60]) }
  }
  if (kind === 'minute') return { kind, limit: amount }
  return { kind, limit: amount, seconds: random.pick([2, 3, 10]), slots: random.pick([2, 5, 10, 30]) }
}

/** The same limit with another size, smaller or larger, often with another algorithm. */
export const redrawn = (random: Random, limit: PlannedLimit): PlannedLimit => {
  const amount = Math.max(2, Math.round(amountOf(limit.size) * random.pick([0.4, 0.8, 1.2, 3])))
  return { ...limit, size: drawSize(random, amount) }
}

/** An owner of limits, each of which is replaced by what `drawn` returns. */
export const eachLimit =
  (drawn: (limit: PlannedLimit) => PlannedLimit) =>
  <T extends { readonly limits: readonly PlannedLimit[] }>(owner: T): T => ({
    ...owner,
    limits: owner.limits.map(drawn),
  })

/** A size of the same algorithm and period. */
export const scaledSize = (size: PlannedLimit['size'], factor: number): PlannedLimit['size'] =>
  size.kind === 'bucket'
    ? { ...size, capacity: factor === 0 ? 0 : nearest(CAPACITIES, size.capacity * factor) }
    : { ...size, limit: Math.ceil(size.limit * factor) }

/** The most that a limit of this size admits at once. */
export const amountOf = (size: PlannedLimit['size']): number =>
  size.kind === 'bucket' ? size.capacity : size.limit

const nearest = (numbers: readonly number[], to: number): number =>
  numbers.reduce((best, each) => (Math.abs(each - to) < Math.abs(best - to) ? each : best))

/** The approximate number of tokens that all of them may use in `seconds`. */
export const roomIn = (entities: readonly PlannedEntity[], seconds: number): number =>
  Math.max(
    ...entities.flatMap(({ limits }) =>
      limits.map(({ meter, size }) => (meter === 'tokens' ? roomOf(size, seconds) : 1)),
    ),
  )

const roomOf = (size: PlannedLimit['size'], seconds: number): number => {
  if (size.kind === 'bucket') return size.capacity * (1 + seconds / size.fillsInSeconds)
  return size.kind === 'sliding' ? size.limit * (1 + seconds / size.seconds) : size.limit
}
