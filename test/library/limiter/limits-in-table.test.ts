import { expect, test } from 'vitest'
import { createRateLimiter, silentLogger } from '../../../src/library/index.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { createTableWorld } from '../table-world.ts'

const createWorld = () => {
  const clock = createTestClock()
  const table = createTableWorld()
  const limiter = createRateLimiter({ store: table.store, config: 'table', clock, logger: silentLogger })
  return { clock, ...table, limiter }
}

test("a key is an entity, limited by its own limits and its parents'", async () => {
  const { limiter, addEntity, limit } = createWorld()
  await addEntity('team')
  await addEntity('key-bob', { parentId: 'team' })
  await limit('team', 3)
  await limit('key-bob', 2)
  const { limits } = await limiter.check('key-bob')
  expect(limits).toMatchObject([
    { entityId: 'key-bob', available: 1, own: true },
    { entityId: 'team', available: 2, own: false },
  ])
})

test.each(['nobody', 'a b', 'key-bob#x', ''])('%j is no entity', async (key) => {
  const { limiter } = createWorld()
  await expect(limiter.check(key)).rejects.toMatchObject({ code: 'not_found' })
})

test('who is disabled, or below someone who is, may not ask, half a minute later at most', async () => {
  const { limiter, addEntity, change, clock } = createWorld()
  await addEntity('team')
  await addEntity('key-bob', { parentId: 'team' })
  expect((await limiter.check('key-bob')).allowed).toBe(true)
  await change('team', { disabled: true })
  clock.advance(31n * SECOND)
  await expect(limiter.check('key-bob')).rejects.toMatchObject({ code: 'unauthorized' })
})

test('who bypasses limits is allowed, and counted', async () => {
  const { limiter, addEntity, limit, store } = createWorld()
  await addEntity('key-root', { bypass: true })
  await limit('key-root', 1)
  for (let i = 0; i < 3; i++) expect((await limiter.check('key-root')).allowed).toBe(true)
  await limiter.close()
  const [bucket] = await store.buckets.list('key-root')
  expect(bucket?.item.used_requests).toBe(3n)
})
