import { expect, test } from 'vitest'
import { type BucketId, bucketKey, entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { set, setIfMissing } from '../../../src/core/bucket/write.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createMemoryAdminStore } from '../../support/memory-admin-store.ts'
import { createMemoryAlertEventStore } from '../../support/memory-alert-event-store.ts'
import {
  createMemoryIdempotencyStore,
  createMemoryReservationStore,
  createMemoryResponseStore,
} from '../../support/memory-request-stores.ts'
import { createMemoryUsageStore } from '../../support/memory-usage-store.ts'
import { adminStoreSuite } from '../admin-store-suite.ts'
import { alertEventStoreSuite } from '../alert-event-store-suite.ts'
import { algorithmWritesSuite } from '../algorithm-writes-suite.ts'
import { bucketStoreSuite } from '../bucket-store-suite.ts'
import { idempotencyStoreSuite } from '../idempotency-store-suite.ts'
import { reservationStoreSuite } from '../reservation-store-suite.ts'
import { responseStoreSuite } from '../response-store-suite.ts'
import { slotWritesSuite } from '../slot-writes-suite.ts'
import { usageStoreSuite } from '../usage-store-suite.ts'

const store = createMemoryBucketStore()

bucketStoreSuite('memory', () => store)

algorithmWritesSuite('memory', () => store)
slotWritesSuite('memory', () => store)

test('forgets a bucket that has expired, and no other', async () => {
  const [gone, kept] = [entityBucket('expiring', 'gpt-4'), entityBucket('expiring', '_default_')]
  for (const id of [gone, kept]) await store.write(id, { conditions: [], actions: [set('n', 1n)] })
  store.expire(gone)
  expect(await store.read(gone)).toBeUndefined()
  expect(await store.list('expiring')).toEqual([{ resource: '_default_', item: { n: 1n } }])
})

test('rejects a value from a missing attribute even if it is not needed, as some engines do', async () => {
  const id = entityBucket('strict', 'gpt-4')
  await store.write(id, { conditions: [], actions: [set('n', 1n)] })
  const write = { conditions: [], actions: [setIfMissing('n', { from: 'x' })] }
  await expect(store.write(id, write)).rejects.toMatchObject({ name: 'ValidationException' })
})

const born = (n: bigint) => ({ conditions: [], actions: [set('born', n), set('rev', 1n), set('ttl', n)] })

test.each([
  ['written', async (id: BucketId) => store.write(id, born(2n))],
  ['removed', async (id: BucketId) => store.remove(id)],
  ['expired', async (id: BucketId) => store.expire(id)],
])('a live bucket ends when it is %s', async (how, end) => {
  const id = entityBucket('live', how)
  await store.write(id, born(1n))
  const time = store.live.timeOf(1n)
  const live = store.live.at(bucketKey(id), time)
  live?.count('denied', 1)
  expect(await store.read(id)).toMatchObject({ denied: 1n })
  expect(store.live.at(bucketKey(id), time)).toBe(live)
  await end(id)
  expect(live?.isEnded).toBe(true)
  expect(store.live.at(bucketKey(id), time)).not.toBe(live)
})

test('removes the least recently used bucket, in place or by a write, beyond the maximum', async () => {
  const bounded = createMemoryBucketStore({ maxBuckets: 3 })
  const ids = ['a', 'b', 'c', 'd', 'e'].map((id) => entityBucket(id, '_default_'))
  const [a, b, c, d, e] = ids
  const write = async (id: BucketId | undefined) => id && bounded.write(id, born(1n))
  for (const id of [a, b, c]) await write(id)
  if (a) bounded.live.at(bucketKey(a), bounded.live.timeOf(1n))?.charged(0)
  await write(d)
  await write(c)
  await write(e)
  const left = await Promise.all(ids.map((id) => bounded.read(id)))
  expect(left.map((item) => item !== undefined)).toEqual([false, false, true, true, true])
})

const adminStore = createMemoryAdminStore()

adminStoreSuite('memory', () => adminStore)

const usageStore = createMemoryUsageStore()

usageStoreSuite('memory', () => usageStore)

const idempotencyStore = createMemoryIdempotencyStore()

idempotencyStoreSuite('memory', () => idempotencyStore)

const reservationStore = createMemoryReservationStore()

reservationStoreSuite('memory', () => reservationStore)

const responseStore = createMemoryResponseStore()

responseStoreSuite('memory', () => responseStore)

const alertEvents = createMemoryAlertEventStore()

alertEventStoreSuite('memory', () => alertEvents)
