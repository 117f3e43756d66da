import { expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { createHeldStore } from '../held-store.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestWorld } from '../test-limiter.ts'

const MS = 1_000_000n

const KEYS = 100

/** Keys of one parent: each has a request every two seconds, the parent fifty per second. */
const world = (capacity: number): TestWorld => {
  const made = createTestWorld({ leaseTtlMs: 1000 })
  const put = (id: string, parentId: string | null, tokens: number): void => {
    made.config.putEntity(id, { parentId })
    const limits = [{ name: 'tpm', capacity: tokens, refill_rate: 0.01 }]
    made.config.putLimits(entityOwner(id), '_default_', parseLimits(limits, 'limits'))
  }
  put('parent', null, 1_000_000)
  for (let key = 0; key < KEYS; key++) put(`key-${key}`, 'parent', capacity)
  return made
}

const decideRound = async ({ node, clock }: TestWorld): Promise<number> => {
  let allowed = 0
  for (let key = 0; key < KEYS; key++) {
    const request = { entityId: `key-${key}`, cost: { tokens: 1 }, settles: false }
    if ((await node.limiter.decide(request)).allowed) allowed++
    clock.advance(20n * MS)
    if (key % 50 === 49) await node.limiter.flush()
  }
  return allowed
}

const usedOf = async ({ buckets }: TestWorld, id: string): Promise<unknown> =>
  (await buckets.read(entityBucket(id, '_default_')))?.used_tokens

test('a rarely used key costs one write, including its use, if a lease pays for its parent', async () => {
  const made = world(1000)
  await decideRound(made)
  const before = made.node.counts.bucket_writes ?? 0
  expect(await decideRound(made)).toBe(KEYS)
  const writes = (made.node.counts.bucket_writes ?? 0) - before
  expect(writes / KEYS).toBeLessThan(1.2)
})

test('use is counted once, on the key and on its parent', async () => {
  const made = world(1000)
  for (let round = 0; round < 3; round++) await decideRound(made)
  await made.node.limiter.flush({ all: true })
  expect(await usedOf(made, 'key-7')).toBe(3n)
  expect(await usedOf(made, 'parent')).toBe(BigInt(3 * KEYS))
})

test('a request that the key denies counts and charges nothing, even if its parent is leased', async () => {
  const made = world(2)
  for (let round = 0; round < 2; round++) expect(await decideRound(made)).toBe(KEYS)
  expect(await decideRound(made)).toBe(0)
  await made.node.limiter.flush({ all: true })
  expect(await usedOf(made, 'key-7')).toBe(2n)
  expect(await usedOf(made, 'parent')).toBe(BigInt(2 * KEYS))
})

/** A separate node whose table responds after all requests are sent. `crowd`: a request of every key at once; returns how many are allowed. */
const crowdedNode = (made: TestWorld) => {
  const buckets = createHeldStore(made.buckets)
  const node = createTestNode({ ...made, buckets, settings: { leaseTtlMs: 1000 } })
  const crowd = async (): Promise<number> => {
    const sent = Promise.all(
      Array.from({ length: KEYS }, (_, key) =>
        node.limiter.decide({ entityId: `key-${key}`, cost: { tokens: 1 }, settles: false }),
      ),
    )
    await buckets.letAllGo()
    return (await sent).filter(({ allowed }) => allowed).length
  }
  return { node, crowd, flush: () => Promise.all([node.limiter.flush({ all: true }), buckets.letAllGo()]) }
}

test('each of many concurrent keys costs one write, even if no lease pays for their parent yet', async () => {
  const made = world(1000)
  const { node, crowd, flush } = crowdedNode(made)
  await crowd()
  await flush()
  made.clock.advance(SECOND)
  const before = node.counts.bucket_writes ?? 0
  expect(await crowd()).toBe(KEYS)
  await flush()
  expect((node.counts.bucket_writes ?? 0) - before).toBeLessThanOrEqual(KEYS + 6)
  expect(await usedOf(made, 'key-7')).toBe(2n)
  expect(await usedOf(made, 'parent')).toBe(BigInt(2 * KEYS))
})

test('keys whose parent denies are not written', async () => {
  const made = world(1000)
  const { node, crowd, flush } = crowdedNode(made)
  await crowd()
  await flush()
  made.clock.advance(SECOND)
  const parent = await made.join().limiter.decide({
    entityId: 'parent',
    cost: { tokens: 1_000_000 - KEYS },
    settles: false,
  })
  expect(parent.allowed).toBe(true)
  const writes = node.counts.bucket_writes ?? 0
  expect(await crowd()).toBe(0)
  // earlier requests write to both at once: the parent was not yet known to be busy
  expect((node.counts.bucket_writes ?? 0) - writes).toBeLessThan(60)
  expect(await usedOf(made, 'key-99')).toBe(1n)
})
