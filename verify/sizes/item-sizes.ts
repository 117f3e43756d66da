import type { LimitDefinition } from '../../src/contract/limit-sizes.ts'
import { add, type BucketItem } from '../../src/core/bucket/write.ts'
import { itemBytes, writeUnits } from './item-bytes.ts'
import { BUCKET, createSizeWorld, ENTITY_ID, slotNsOf } from './size-world.ts'

/** The maximum size of an item. */
export interface ItemSizeRow {
  readonly limits: string
  /** Slots of one window: those within it, and those that wait for removal. */
  readonly marks: number
  readonly bytes: number
  readonly writeUnits: number
}

const METERS = [
  ['rph', 'requests'],
  ['tph', 'tokens'],
  ['itph', 'input_tokens'],
] as const
const COST = { requests: 1, tokens: 997, input_tokens: 613 }
const LARGE = 1_000_000_000_000
/** The counter of a long-used limit: eleven digits, none of them a zero that would not count. */
const LONG_LIFE = 12_345_678_912n

/** One to three sliding windows of `windowSeconds`, with a count in each slot. */
export const slidingItem = (count: 1 | 2 | 3, windowSeconds: number, slots: number): Promise<ItemSizeRow> => {
  const limits = METERS.slice(0, count).map(
    ([name, meter]): LimitDefinition => ({
      name,
      meter,
      algorithm: 'sliding_window',
      limit: LARGE,
      window_seconds: windowSeconds,
      slots,
    }),
  )
  return largest(`${count} × sliding window, ${windowSeconds} s in ${slots} slots`, limits, {
    stepNs: slotNsOf(windowSeconds, slots),
    steps: 3 * slots + Math.ceil((40 * slots) / windowSeconds),
  })
}

const tokenBucket = (name: string, meter: (typeof METERS)[number][1]): LimitDefinition => ({
  name,
  meter,
  capacity: LARGE,
  refill_rate: LARGE / 1000,
})

const fixedWindow = (name: string, meter: (typeof METERS)[number][1]): LimitDefinition => ({
  name,
  meter,
  algorithm: 'fixed_window',
  limit: LARGE,
  window: 'day',
  time_zone: 'Europe/Berlin',
})

const FEW = { stepNs: 1_000_000_007n, steps: 5 }

/** Items of the algorithms whose state does not grow. */
export const constantItems = async (): Promise<readonly ItemSizeRow[]> => [
  await largest('1 × token bucket', [tokenBucket('rph', 'requests')], FEW),
  await largest(
    '3 × token bucket',
    METERS.map(([name, meter]) => tokenBucket(name, meter)),
    FEW,
  ),
  await largest('1 × fixed window', [fixedWindow('rph', 'requests')], FEW),
  await largest(
    '3 × fixed window',
    METERS.map(([name, meter]) => fixedWindow(name, meter)),
    FEW,
  ),
]

const largest = async (
  name: string,
  limits: readonly LimitDefinition[],
  { stepNs, steps }: { readonly stepNs: bigint; readonly steps: number },
): Promise<ItemSizeRow> => {
  let most = { bytes: 0, marks: 0 }
  const world = createSizeWorld(limits, (_, item = {}) => {
    const bytes = itemBytes(BUCKET, item)
    if (bytes > most.bytes) most = { bytes, marks: marksIn(item) }
  })
  const charge = () => world.limiter.decide({ entityId: ENTITY_ID, cost: COST, settles: false })
  await charge()
  const counts = limits.filter(({ algorithm }) => algorithm !== undefined).map(({ name }) => `${name}_n`)
  await world.buckets.write(BUCKET, { conditions: [], actions: counts.map((path) => add(path, LONG_LIFE)) })
  for (let step = 0; step < steps; step++) {
    world.advance(stepNs)
    await charge()
  }
  return { limits: name, ...most, writeUnits: writeUnits(most.bytes) }
}

const marksIn = (item: BucketItem): number =>
  typeof item.rph_marks === 'object' ? Object.keys(item.rph_marks).length : 0
