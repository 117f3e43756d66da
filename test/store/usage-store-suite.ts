import { describe, expect, test } from 'vitest'
import type { Counters, UsageHour, UsagePoint, UsageStore } from '../../src/core/model/usage.ts'
import { fresh } from './store-fixtures.ts'

const HOUR = 3600
const DAY = 86_400
/** The start of a UTC day: seconds since the epoch. */
const DAY_START = 20_000 * DAY

/** What every usage store does. `store` is created before the first test. */
export const usageStoreSuite = (name: string, store: () => UsageStore): void => {
  describe(`${name} as a usage store`, () => {
    const anHour = (fields: Partial<UsageHour>): UsageHour => ({
      entityId: 'any',
      resource: 'gpt-4',
      born: 1n,
      hourStart: DAY_START,
      from: {},
      to: {},
      rev: 1n,
      ...fields,
    })
    const counted = (requests: bigint, more: Counters = {}): Counters => ({
      used_requests: requests,
      ...more,
    })
    const hours = (entityId: string, resource?: string): Promise<readonly UsagePoint[]> =>
      store().usage({
        entityId,
        granularity: 'hour',
        from: DAY_START - 10 * DAY,
        to: DAY_START + 10 * DAY,
        ...(resource !== undefined && { resource }),
      })
    const requests = async (entityId: string): Promise<readonly number[]> =>
      (await hours(entityId)).map(({ used }) => used.requests)

    test('returns the growth of every meter within the hour', async () => {
      const entityId = fresh('user')
      const from = counted(5n, { used_tokens: 100n, denied: 1n, denied_rpm: 1n })
      const to = counted(7n, { used_tokens: 150n, used_input_tokens: 40n, denied: 4n, denied_rpm: 3n })
      await store().record(anHour({ entityId, from, to }))
      expect(await hours(entityId)).toEqual([
        {
          start: DAY_START,
          resource: 'gpt-4',
          used: { requests: 2, tokens: 50, input_tokens: 40, output_tokens: 0, cost_usd_micros: 0 },
          denied: 3,
        },
      ])
    })

    test('counts the same batch once, however often it comes', async () => {
      const entityId = fresh('user')
      const hour = anHour({ entityId, from: counted(1n), to: counted(4n), rev: 3n })
      for (let i = 0; i < 3; i += 1) await store().record(hour)
      expect(await requests(entityId)).toEqual([3])
    })

    test.each([
      { order: [0, 1, 2] },
      { order: [2, 1, 0] },
      { order: [1, 2, 0] },
      { order: [2, 0, 2, 1, 0] },
      { order: [2, 3] },
      { order: [1, 2, 3, 2] },
    ])('comes to the same where batches and pieces of them come in the order $order', async ({ order }) => {
      const entityId = fresh('user')
      const pieces = [
        anHour({ from: {}, to: counted(3n), rev: 3n }),
        anHour({ from: counted(3n), to: counted(5n, { denied: 2n }), rev: 6n }),
        anHour({
          from: counted(5n, { denied: 2n }),
          to: counted(9n, { denied: 3n, used_tokens: 8n }),
          rev: 9n,
        }),
        anHour({ from: {}, to: counted(5n, { denied: 2n }), rev: 6n }),
      ]
      for (const piece of order) await store().record({ ...anHour({}), ...pieces[piece], entityId })
      expect(await hours(entityId)).toMatchObject([{ used: { requests: 9, tokens: 8 }, denied: 3 }])
    })

    test('lowers the start of an hour for a batch that is newer and reaches further back', async () => {
      const entityId = fresh('user')
      await store().record(anHour({ entityId, from: counted(6n), to: counted(7n), rev: 7n }))
      await store().record(anHour({ entityId, from: counted(2n), to: counted(9n), rev: 9n }))
      expect(await requests(entityId)).toEqual([7])
    })

    test('loses nothing if batches of one hour arrive at once', async () => {
      const entityId = fresh('user')
      const pieces = Array.from({ length: 12 }, (_, at) =>
        anHour({ entityId, from: counted(BigInt(at)), to: counted(BigInt(at + 1)), rev: BigInt(at + 1) }),
      )
      await Promise.all(pieces.flatMap((piece) => [store().record(piece), store().record(piece)]))
      expect(await requests(entityId)).toEqual([12])
    })

    test('sums the lives of a bucket, and keeps hours, resources and entities apart', async () => {
      const [entityId, other] = [fresh('user'), fresh('user')]
      const base = { entityId, from: counted(0n) }
      await store().record(anHour({ ...base, born: 1n, from: counted(10n), to: counted(11n) }))
      await store().record(anHour({ ...base, born: 1_790_000_000_123_456_789n, to: counted(2n) }))
      await store().record(anHour({ ...base, hourStart: DAY_START + HOUR, to: counted(4n) }))
      await store().record(anHour({ ...base, resource: 'a/b:c', to: counted(8n) }))
      await store().record(anHour({ ...base, entityId: other, to: counted(16n) }))
      const seen = (await hours(entityId)).map(({ start, resource, used }) => [
        start,
        resource,
        used.requests,
      ])
      expect(seen).toEqual([
        [DAY_START, 'a/b:c', 8],
        [DAY_START, 'gpt-4', 3],
        [DAY_START + HOUR, 'gpt-4', 4],
      ])
      expect((await hours(entityId, 'a/b:c')).map(({ used }) => used.requests)).toEqual([8])
    })

    test('returns the total over all resources only if requested by name', async () => {
      const entityId = fresh('user')
      await store().record(anHour({ entityId, resource: '_total_', to: counted(5n) }))
      await store().record(anHour({ entityId, resource: '_default_', to: counted(3n) }))
      expect((await hours(entityId)).map(({ resource }) => resource)).toEqual(['_default_'])
      expect((await hours(entityId, '_total_')).map(({ used }) => used.requests)).toEqual([5])
    })

    test('includes points that start at `from`, and excludes those at `to`', async () => {
      const entityId = fresh('user')
      for (const back of [0, 1, 2, 3])
        await store().record(anHour({ entityId, hourStart: DAY_START - back * HOUR, to: counted(1n) }))
      const starts = async (from: number, to: number) =>
        (await store().usage({ entityId, granularity: 'hour', from, to })).map(({ start }) => start)
      const [first, second] = [DAY_START - 2 * HOUR, DAY_START - HOUR]
      expect(await starts(first, DAY_START)).toEqual([first, second])
      expect(await starts(first + 1, DAY_START + 1)).toEqual([second, DAY_START])
      expect(await starts(first, first)).toEqual([])
    })

    test('sums whole UTC days', async () => {
      const entityId = fresh('user')
      for (const hour of [-1, 0, 23, 24])
        await store().record(anHour({ entityId, hourStart: DAY_START + hour * HOUR, to: counted(1n) }))
      const days = async (from: number, to: number) =>
        (await store().usage({ entityId, granularity: 'day', from, to })).map(({ start, used }) => [
          start,
          used.requests,
        ])
      expect(await days(DAY_START - DAY, DAY_START + 2 * DAY)).toEqual([
        [DAY_START - DAY, 1],
        [DAY_START, 2],
        [DAY_START + DAY, 1],
      ])
      expect(await days(DAY_START - 1, DAY_START + 1)).toEqual([[DAY_START, 2]])
      expect(await days(DAY_START + 1, DAY_START + DAY + 1)).toEqual([[DAY_START + DAY, 1]])
    })

    test('knows nothing of an entity that has used nothing', async () => {
      expect(await hours(fresh('user'))).toEqual([])
    })
  })
}
