import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { rateLimit } from '../../../src/library/hono.ts'
import { byZaelKey, createRateLimiter, silentLogger } from '../../../src/library/index.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { createTableWorld } from '../table-world.ts'

const createWorld = async ({ shadow = false } = {}) => {
  const clock = createTestClock()
  const table = createTableWorld()
  await table.addEntity('key-bob')
  await table.limit('key-bob', 2)
  const key = await table.addKey('key-bob', 'secret-of-bob')
  const limiter = createRateLimiter({ store: table.store, config: 'table', clock, logger: silentLogger })
  const app = new Hono()
  app.use(rateLimit({ limiter, key: byZaelKey(table.store, { clock }), shadow, clock, logger: silentLogger }))
  app.get('/', (c) => c.text('home'))
  const ask = (secret?: string) =>
    app.request('/', secret === undefined ? {} : { headers: { authorization: `Bearer ${secret}` } })
  return { ...table, clock, key, ask }
}

test('an app goes by the API keys and limits of a deployed zael', async () => {
  const { ask } = await createWorld()
  const statuses = [await ask('secret-of-bob'), await ask('secret-of-bob'), await ask('secret-of-bob')]
  expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429])
})

test.each([{ shadow: false }, { shadow: true }])(
  'who shows no valid key gets 401, whatever the limits do: %j',
  async (options) => {
    const { ask } = await createWorld(options)
    const refused = await ask('secret-of-nobody')
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe('Bearer')
    expect(await refused.json()).toEqual({ error: 'unauthorized', message: 'The API key is not valid' })
    expect((await ask()).status).toBe(401)
  },
)

test('a revoked key is refused half a minute later at most', async () => {
  const { ask, revoke, key, clock } = await createWorld()
  expect((await ask('secret-of-bob')).status).toBe(200)
  await revoke(key)
  clock.advance(31n * SECOND)
  expect((await ask('secret-of-bob')).status).toBe(401)
})

test('a key is refused from the moment on at which it expires', async () => {
  const { ask, addKey, clock } = await createWorld()
  await addKey('key-bob', 'short-lived', { expiresAt: clock.now() + 5n * SECOND })
  expect((await ask('short-lived')).status).toBe(200)
  clock.advance(5n * SECOND)
  expect((await ask('short-lived')).status).toBe(401)
})

test('a new key is known a second after it was refused', async () => {
  const { ask, addKey, clock } = await createWorld()
  expect((await ask('new-secret')).status).toBe(401)
  await addKey('key-bob', 'new-secret')
  clock.advance(2n * SECOND)
  expect((await ask('new-secret')).status).toBe(200)
})
