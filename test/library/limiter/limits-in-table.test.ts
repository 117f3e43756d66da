import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { OnUnavailable } from '../../../src/core/model/limit.ts'
import type { ConfigStore } from '../../../src/core/ports/config-store.ts'
import { createRateLimiter, type Logger, silentLogger } from '../../../src/library/index.ts'
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

test.each(['nobody', 'a b', 'key-bob#x', ''])('%j is not an entity', async (key) => {
  const { limiter } = createWorld()
  await expect(limiter.check(key)).rejects.toMatchObject({ code: 'not_found' })
})

test('a disabled entity, and one below it, are rejected within half a minute', async () => {
  const { limiter, addEntity, change, clock } = createWorld()
  await addEntity('team')
  await addEntity('key-bob', { parentId: 'team' })
  expect((await limiter.check('key-bob')).allowed).toBe(true)
  await change('team', { disabled: true })
  clock.advance(31n * SECOND)
  await expect(limiter.check('key-bob')).rejects.toMatchObject({ code: 'unauthorized' })
})

test('an entity with bypass is allowed and counted', async () => {
  const { limiter, addEntity, limit, store } = createWorld()
  await addEntity('key-root', { bypass: true })
  await limit('key-root', 1)
  for (let i = 0; i < 3; i++) expect((await limiter.check('key-root')).allowed).toBe(true)
  await limiter.close()
  const [bucket] = await store.buckets.list('key-root')
  expect(bucket?.item.used_requests).toBe(3n)
})

describe('while the configuration cannot be read', () => {
  const CAUSE = 'ResourceNotFoundException: Requested resource not found'

  /** Fails while `isUnavailable`; counts the calls. */
  const failing = (config: ConfigStore) => {
    const state = { isUnavailable: true, calls: 0 }
    const guarded =
      <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        state.calls++
        if (state.isUnavailable)
          throw new StoreUnavailable('unavailable', { mayHaveApplied: false, reason: CAUSE })
        return call(...args)
      }
    const store: ConfigStore = {
      entity: guarded(config.entity),
      entities: guarded(config.entities),
      model: guarded(config.model),
      limitSets: guarded(config.limitSets),
      apiKey: guarded(config.apiKey),
    }
    return { store, state }
  }

  const setUp = async (onUnavailable?: OnUnavailable) => {
    const clock = createTestClock()
    const table = createTableWorld()
    const { store: config, state } = failing(table.store.config)
    const lines: unknown[] = []
    const counted: string[] = []
    const logger: Logger = { ...silentLogger, warn: (...line) => void lines.push(line) }
    const limiter = createRateLimiter({
      store: { ...table.store, config },
      config: 'table',
      ...{ clock, logger, metrics: { count: (name: string) => void counted.push(name) } },
      ...(onUnavailable !== undefined && { onUnavailable }),
    })
    await table.addEntity('key-bob')
    await table.limit('key-bob', 2)
    return { ...table, limiter, clock, state, lines, counted }
  }

  const UNKNOWN = { degraded: true, unavailableCause: CAUSE, limits: [], violations: [], reported: [] }
  const DENIED = { allowed: false, unavailable: true, retryAfterMs: 1000, ...UNKNOWN }

  // nothing is known that a share could be taken of
  test.each([undefined, 'deny', 'local'] as const)('onUnavailable %s denies as unavailable', async (rule) => {
    const { limiter, lines, counted } = await setUp(rule)
    expect(await limiter.check('key-bob')).toEqual(DENIED)
    const reservation = await limiter.reserve('key-bob')
    expect(reservation).toMatchObject(DENIED)
    await reservation.settle({ requests: 1 })
    await reservation.release()
    expect(lines).toEqual([['requests denied without the store', { count: 1, reason: CAUSE }]])
    const each = ['decisions_denied', 'decisions_degraded']
    expect(counted).toEqual([...each, ...each])
  })

  test('onUnavailable allow allows, and charges nothing', async () => {
    const { limiter, lines, counted, store } = await setUp('allow')
    expect(await limiter.check('key-bob')).toEqual({
      ...{ allowed: true, unavailable: false, retryAfterMs: 0 },
      ...UNKNOWN,
    })
    const reservation = await limiter.reserve('key-bob')
    expect(reservation.allowed).toBe(true)
    await reservation.settle({ requests: 5 })
    await limiter.flush()
    expect(await store.buckets.list('key-bob')).toEqual([])
    expect(lines).toEqual([['requests allowed without the store', { count: 1, reason: CAUSE }]])
    expect(counted).toContain('decisions_allowed')
  })

  test('cached limits and disabled entities still apply', async () => {
    const { limiter, state, clock, addEntity } = await setUp('allow')
    await addEntity('key-eve', { disabled: true })
    state.isUnavailable = false
    await limiter.check('key-bob')
    await expect(limiter.check('key-eve')).rejects.toMatchObject({ code: 'unauthorized' })
    state.isUnavailable = true
    clock.advance(31n * SECOND)
    expect(await limiter.check('key-bob', { cost: { requests: 2 } })).toMatchObject({
      allowed: false,
      violations: [{ name: 'rpm' }],
    })
    await expect(limiter.check('key-eve')).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('the store is read once a second after five failures', async () => {
    const { limiter, state, clock } = await setUp('allow')
    for (let turn = 0; turn < 5; turn++) await limiter.check('key-bob')
    expect(state.calls).toBe(5)
    for (let turn = 0; turn < 5; turn++) await limiter.check('key-bob')
    expect(state.calls).toBe(5)
    clock.advance(SECOND)
    state.isUnavailable = false
    expect(await limiter.check('key-bob')).toMatchObject({ degraded: false, limits: [{ available: 1 }] })
  })

  test('a key that is no id, and an invalid cost, are errors all the same', async () => {
    const { limiter } = await setUp('allow')
    await expect(limiter.check('a b')).rejects.toMatchObject({ code: 'not_found' })
    await expect(limiter.check('key-bob', { cost: { requests: -1 } })).rejects.toThrow(TypeError)
  })
})
