import { describe, expect, test } from 'vitest'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld } from '../test-limiter.ts'
import { admits, worldOf } from '../token-world.ts'

const cost = { requests: 1 }

describe('the status of an entity', () => {
  test('shows the effective limits of one that bypasses them, full and without a wait', async () => {
    const world = createTestWorld()
    world.config.putEntity('key', { bypass: true })
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1 / 60] }))
    for (let turn = 0; turn < 3; turn++)
      await world.node.limiter.decide({ entityId: 'key', cost, settles: false })
    expect((await world.node.limiter.status('key')).limits).toMatchObject([{ capacity: 1, available: 1 }])
    expect(await world.node.limiter.waitTime('key', { requests: 5 })).toEqual({ waitNs: 0n, limiting: null })
  })

  test('is that of the bucket with the least available share, and never of one without limits', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putModel('gpt-4')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [10, 10 / 60] }))
    world.config.putLimits(entityOwner('key'), '_total_', limitsOf({ rpm: [3, 3 / 60] }))
    await world.node.limiter.decide({ entityId: 'key', resource: 'gpt-4', cost, settles: false })
    expect(await world.node.limiter.status('key')).toMatchObject({
      resource: '_total_',
      limits: [{ available: 2 }],
    })
    world.config.putLimits(entityOwner('key'), '_total_', [])
    world.clock.advance(60n * SECOND)
    expect((await world.node.limiter.status('key')).limits).toMatchObject([{ capacity: 10, available: 10 }])
  })

  test('is computed for later times from one read, when another bucket may be the fullest', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putModel('gpt-4')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [10, 1] }))
    world.config.putLimits(entityOwner('key'), '_total_', limitsOf({ rpm: [20, 1 / 60] }))
    for (let turn = 0; turn < 10; turn++)
      await world.node.limiter.decide({ entityId: 'key', resource: 'gpt-4', cost, settles: false })
    const observed = await world.node.limiter.observe('key')
    for (const [seconds, resource, available] of [
      [0n, 'gpt-4', 0],
      [3n, 'gpt-4', 3],
      [9n, '_total_', 10],
      [120n, '_total_', 12],
    ] as const) {
      const status = observed(world.clock.now() + seconds * SECOND)
      expect(status).toMatchObject({ resource, limits: [{ available }] })
    }
    world.clock.advance(3n * SECOND)
    expect(observed(world.clock.now())).toEqual(await world.node.limiter.status('key'))
    await expect(world.node.limiter.observe('nobody')).rejects.toThrow('nobody')
  })

  test('is read for many entities in as many calls as for one', async () => {
    const world = createTestWorld()
    const ids = Array.from({ length: 50 }, (_, at) => `key-${at}`)
    world.config.putEntity('org')
    world.config.putEntity('team', { parentId: 'org' })
    for (const id of ids) world.config.putEntity(id, { parentId: 'team' })
    world.config.putLimits(entityOwner('key-7'), '_default_', limitsOf({ rpm: [7, 1] }))
    await world.node.limiter.prepareObserving([...ids, 'nobody', 'team', 'key-7'])
    const calls = world.config.reads()
    expect(calls).toBeLessThan(6)
    for (const id of ids) await world.node.limiter.observe(id)
    expect(world.config.reads()).toBe(calls)
    const observed = await world.node.limiter.observe('key-7')
    expect(observed(world.clock.now()).limits).toMatchObject([{ capacity: 7 }])
    await world.node.limiter.prepareObserving([])
  })

  test('counts limits over all resources as its own', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putLimits(entityOwner('key'), '_total_', limitsOf({ rpm: [3, 3 / 60] }))
    const { limits } = await world.node.limiter.decide({ entityId: 'key', cost, settles: false })
    expect(limits).toMatchObject([{ resource: '_total_', own: true }])
  })
})

describe('the time to wait', () => {
  test('is that of the limit with the longest wait, in any bucket', async () => {
    const world = worldOf(10, 1)
    world.config.putEntity('child', { parentId: 'key' })
    world.config.putLimits(entityOwner('child'), '_default_', limitsOf({ rpm: [1, 1], tpm: [20, 2] }))
    const both = { requests: 1, tokens: 10 }
    await world.node.limiter.decide({ entityId: 'child', cost: both, settles: false })
    expect(await world.node.limiter.waitTime('child', both)).toMatchObject({
      waitNs: 10n * SECOND,
      limiting: { entityId: 'key', limit: { name: 'tpm' } },
    })
  })

  test('is that of the current limit, even if the bucket still holds the state of another', async () => {
    const world = worldOf(100, 1)
    expect(await admits(world.node, 100)).toBe(true)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [1000, 10] }))
    const { limiter } = world.join()
    expect(await limiter.waitTime('key', { tokens: 950 })).toMatchObject({ waitNs: 5n * SECOND })
    expect(await limiter.waitTime('key', { tokens: 900 })).toEqual({ waitNs: 0n, limiting: null })
    expect(await limiter.waitTime('key', { input_tokens: 600, output_tokens: 600 })).toMatchObject({
      waitNs: null,
    })
  })
})
