import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { createAggregator } from '../../src/usage/aggregator.ts'
import type { StreamRecord } from '../../src/usage/stream-usage.ts'
import { bucketEvents, play, withoutZeros } from './bucket-history.ts'
import { entityBucketOf } from './bucket-records.ts'
import { createTestUsageStore } from './test-usage-store.ts'

const deliveries = fc.array(
  fc.record({
    from: fc.nat({ max: 39 }),
    length: fc.nat({ max: 40 }),
    crashAfter: fc.option(fc.nat({ max: 3 })),
    /** Omits records of the slice, as a bisected or redriven batch does. */
    every: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 8 },
)

const start = () => {
  const usageStore = createTestUsageStore()
  const aggregator = createAggregator({
    usageStore,
    entityBucketOf,
    logger: silentLogger,
    metrics: noMetrics,
  })
  return { usageStore, aggregator }
}

test.prop([bucketEvents, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), deliveries])(
  'totals are the same for any cuts into batches, repeats of any part and crashes between writes',
  async (history, cuts, repeats) => {
    const { records, expected } = play(history)
    const { usageStore, aggregator } = start()
    const deliver = async (batch: readonly StreamRecord[], crashAfter: number | null): Promise<void> => {
      usageStore.crashAfter(crashAfter ?? Number.POSITIVE_INFINITY)
      await aggregator.handle({ Records: batch })
    }
    const repeat = async (some: typeof repeats): Promise<void> => {
      for (const { from, length, every, crashAfter } of some) {
        await deliver(
          records.slice(from, from + length).filter((_, place) => place % every === 0),
          crashAfter,
        )
      }
    }

    const half = Math.floor(repeats.length / 2)
    await repeat(repeats.slice(0, half))
    for (let place = 0, cut = 0; place < records.length; cut += 1) {
      const size = cuts[cut % cuts.length] ?? 1
      await deliver(records.slice(place, place + size), null)
      place += size
    }
    await repeat(repeats.slice(half))

    expect(withoutZeros(await usageStore.totals())).toEqual(withoutZeros(expected))
  },
)

test.prop([bucketEvents, fc.nat({ max: 39 }), fc.integer({ min: 1, max: 9 })])(
  'totals are the same if one record is redriven after all the others',
  async (history, pick, size) => {
    const { records, expected } = play(history)
    const { usageStore, aggregator } = start()
    const late = pick % records.length
    const rest = records.filter((_, place) => place !== late)
    for (let place = 0; place < rest.length; place += size) {
      await aggregator.handle({ Records: rest.slice(place, place + size) })
    }
    await aggregator.handle({ Records: records.slice(late, late + 1) })
    expect(withoutZeros(await usageStore.totals())).toEqual(withoutZeros(expected))
  },
)

test.prop([bucketEvents, fc.array(fc.nat({ max: 4 }), { maxLength: 6 })])(
  'reading again from the reported failures reaches the totals',
  async (history, crashes) => {
    const { records, expected } = play(history)
    const { usageStore, aggregator } = start()
    let rest = records
    for (const crash of [...crashes, Number.POSITIVE_INFINITY]) {
      usageStore.crashAfter(crash)
      const { batchItemFailures } = await aggregator.handle({ Records: rest })
      const failed = batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier))
      rest = failed.length === 0 ? [] : records.slice(Math.min(...failed) - 1)
    }
    expect(withoutZeros(await usageStore.totals())).toEqual(withoutZeros(expected))
  },
)
