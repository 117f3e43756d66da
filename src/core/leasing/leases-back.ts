import { fitting } from '../charging/fitting.ts'
import { beyond, METERS } from '../limit/meter.ts'
import type { ChargerDependencies, SharedOrder, SharedOutcome } from './charge-ahead.ts'

/**
 * Where the leases of this process are what denies a request that is too large for them, gives them back: the denial, with
 * the state after that. undefined: it is no denial, or that would help none of `orders`, which are of one bucket and alike.
 */
export const withLeasesBack = async (
  { leases, writer, clock, giveBack }: ChargerDependencies,
  orders: readonly SharedOrder[],
  outcome: SharedOutcome,
): Promise<SharedOutcome | undefined> => {
  const [first, ...others] = orders.map(({ cost }) => cost)
  const bucket = orders[0]?.bucket
  if (bucket === undefined || first === undefined || outcome.result !== 'denied') return undefined
  const held = leases.heldAt(bucket)
  if (METERS.every((meter) => (held[meter] ?? 0) === 0)) return undefined
  const { limits, item } = outcome
  const now = clock.now()
  const isIn = fitting(limits, item, [first, ...others], now)
  const isInThen = fitting(limits, item, [beyond(first, held), ...others], now)
  if (isInThen.every((fits, index) => !fits || isIn[index])) return undefined
  await giveBack(leases.takeBack(bucket))
  return { ...outcome, item: writer.lastSeen(bucket), held: {} }
}
