import { describe, expect, test } from 'vitest'
import type { DecisionRequest } from '../../../src/core/decide/decision.ts'
import type { LimitSetKey } from '../../../src/core/model/limit-set.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestWorld } from '../test-limiter.ts'

/** Nothing refills within a test. */
const OF = (capacity: number) => limitsOf({ rph: [capacity, 1 / 86_400] })

/** A tenant with two keys, another tenant, and an entity without a tenant below a root. */
const createNamedWorld = (settings = {}): TestWorld => {
  const world = createTestWorld(settings)
  const { config } = world
  config.putEntity('acme', { kind: 'tenant' })
  config.putEntity('key', { parentId: 'acme' })
  config.putEntity('key-2', { parentId: 'acme' })
  config.putEntity('rival', { kind: 'tenant' })
  config.putEntity('rival-key', { parentId: 'rival' })
  config.putEntity('root')
  config.putEntity('leaf', { parentId: 'root' })
  return world
}

const decide = (world: TestWorld, request: Partial<DecisionRequest> = {}, node = world.node) =>
  node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false, ...request })

const isAllowed = async (world: TestWorld, request: Partial<DecisionRequest> = {}, node = world.node) =>
  (await decide(world, request, node)).allowed

/** The selectors of the buckets of users and sessions that a request charges. */
const bucketsOf = async (world: TestWorld, request: Partial<DecisionRequest> = {}) =>
  (await decide(world, request)).limits.flatMap(({ bucket }) =>
    bucket.kind === 'policy' ? `${bucket.scope}#${bucket.selector}` : [],
  )

describe.each(['USER', 'SESSION'] as const)('a policy of scope %s', (scope) => {
  const named = (name: string) => (scope === 'USER' ? { user: name } : { session: name })

  test('gives each name of a tenant a bucket of its own, which the keys of the tenant share', async () => {
    const world = createNamedWorld()
    world.config.putPolicy(scope, '*', OF(2))
    expect(await isAllowed(world, named('ann'))).toBe(true)
    expect(await isAllowed(world, { ...named('ann'), entityId: 'key-2' })).toBe(true)
    expect(await isAllowed(world, { ...named('ann'), resource: 'gpt-4' })).toBe(false)
    expect(await isAllowed(world, named('bob'))).toBe(true)
    expect(await isAllowed(world, { ...named('ann'), entityId: 'rival-key' })).toBe(true)
    expect(await bucketsOf(world, named('bob'))).toEqual([`${scope}#acme#bob`])
  })

  test('has the bucket - of the tenant for requests that name none', async () => {
    const world = createNamedWorld()
    world.config.putPolicy(scope, '*', OF(1))
    expect(await bucketsOf(world)).toEqual([`${scope}#acme#-`])
    expect(await isAllowed(world, { entityId: 'key-2' })).toBe(false)
    expect(await isAllowed(world, named('-'))).toBe(true)
    expect(await isAllowed(world, { entityId: 'rival-key' })).toBe(true)
  })

  test('belongs to the root entity if there is no tenant, and to the tenant of the context if there is one', async () => {
    const world = createNamedWorld()
    world.config.putPolicy(scope, '*', OF(5))
    expect(await bucketsOf(world, { ...named('ann'), entityId: 'leaf' })).toEqual([`${scope}#root#ann`])
    expect(await bucketsOf(world, { ...named('ann'), entityId: 'root' })).toEqual([`${scope}#root#ann`])
    const context = { tenant: 'rival' }
    expect(await bucketsOf(world, { ...named('ann'), context })).toEqual([`${scope}#rival#ann`])
  })

  test('replaces a name that is no id by its hash', async () => {
    const world = createNamedWorld()
    world.config.putPolicy(scope, '*', OF(1))
    const [bucket] = await bucketsOf(world, named('ann@example.com, Berlin'))
    expect(bucket).toMatch(/#acme#h-[\da-f]{32}$/)
    expect(await isAllowed(world, named('ann@example.com, Berlin'))).toBe(false)
    expect(await isAllowed(world, named('ann@example.com, Paris'))).toBe(true)
    expect(await bucketsOf(world, named('x'.repeat(100_000)))).toEqual([
      expect.stringMatching(/#acme#h-[\da-f]{32}$/),
    ])
  })

  test('of one name overrides the one of all names as a whole', async () => {
    const world = createNamedWorld()
    world.config.putPolicy(scope, '*', limitsOf({ rph: [1, 1 / 86_400], tph: [1, 1 / 86_400] }))
    world.config.putPolicy(scope, 'vip', OF(2))
    const cost = { requests: 1, tokens: 5 }
    expect(await isAllowed(world, { ...named('ann'), cost })).toBe(false)
    expect(await isAllowed(world, { ...named('vip'), cost })).toBe(true)
    const { limits } = await decide(world, named('vip'))
    expect(limits).toMatchObject([
      { entityId: `POLICY:${scope}:vip`, source: `policy:${scope}:vip`, capacity: 2, available: 0 },
    ])
  })

  test('of one name applies without one of all names', async () => {
    const world = createNamedWorld()
    world.config.putPolicy(scope, 'ann', OF(1))
    expect(await bucketsOf(world, named('ann'))).toEqual([`${scope}#acme#ann`])
    expect(await bucketsOf(world, named('bob'))).toEqual([])
    expect(await bucketsOf(world)).toEqual([])
  })

  test('begins full if it is created again, in every bucket, also on nodes that had charged them', async () => {
    const world = createNamedWorld()
    const other = world.join()
    const names = ['ann', 'bob', 'cem']
    world.config.putPolicy(scope, '*', OF(1))
    for (const name of names) expect(await isAllowed(world, named(name), other)).toBe(true)
    for (const name of names) expect(await isAllowed(world, named(name), other)).toBe(false)
    world.config.putPolicy(scope, '*', [])
    world.config.putPolicy(scope, '*', OF(1))
    world.clock.advance(2n * SECOND)
    for (const name of names) {
      expect(await isAllowed(world, named(name), other)).toBe(true)
      expect(await isAllowed(world, named(name), other)).toBe(false)
      expect(await isAllowed(world, named(name))).toBe(false)
    }
  })

  test('keeps the charges if its limits are only replaced', async () => {
    const world = createNamedWorld()
    world.config.putPolicy(scope, '*', OF(3))
    await decide(world, named('ann'))
    world.config.putPolicy(scope, '*', OF(5))
    world.node.limiter.forget()
    expect((await decide(world, named('ann'))).limits).toMatchObject([{ capacity: 5, available: 3 }])
  })

  test('begins full for a name whose own policy is created or deleted', async () => {
    const world = createNamedWorld()
    world.config.putPolicy(scope, '*', OF(1))
    const change = (limits: ReturnType<typeof OF>) => {
      world.config.putPolicy(scope, 'ann', limits)
      world.node.limiter.forget()
    }
    expect(await isAllowed(world, named('ann'))).toBe(true)
    change(OF(1))
    expect(await isAllowed(world, named('ann'))).toBe(true)
    expect(await isAllowed(world, named('ann'))).toBe(false)
    change([])
    expect(await isAllowed(world, named('ann'))).toBe(true)
    expect(await isAllowed(world, named('ann'))).toBe(false)
  })

  test('shows a void bucket as full before it is charged', async () => {
    const world = createNamedWorld()
    const status = () =>
      world.node.limiter.statusOfNamed({ scope, tenant: 'acme', name: 'ann' }).then((found) => found?.limits)
    expect(await status()).toBeUndefined()
    world.config.putPolicy(scope, '*', OF(4))
    world.node.limiter.forget()
    await decide(world, named('ann'))
    expect(await status()).toMatchObject([{ available: 3, entityId: `POLICY:${scope}:*` }])
    world.config.putPolicy(scope, '*', [])
    world.config.putPolicy(scope, '*', OF(4))
    world.node.limiter.forget()
    expect(await status()).toMatchObject([{ available: 4 }])
  })

  test('refunds nothing to a bucket that is void', async () => {
    const world = createNamedWorld()
    world.config.putPolicy(scope, '*', OF(2))
    const early = await decide(world, { ...named('ann'), settles: true, cost: { requests: 2 } })
    world.config.putPolicy(scope, '*', [])
    world.config.putPolicy(scope, '*', OF(2))
    world.node.limiter.forget()
    expect(await isAllowed(world, { ...named('ann'), cost: { requests: 2 } })).toBe(true)
    if (early.allowed) await early.reservation.release()
    expect(await isAllowed(world, named('ann'))).toBe(false)
  })
})

/** A world that records which sets of limits are read. */
const createWatchedWorld = () => {
  const world = createNamedWorld()
  const read: string[] = []
  const config = {
    ...world.config,
    limitSets(keys: readonly LimitSetKey[]) {
      for (const { owner } of keys) if (owner.kind === 'policy') read.push(`${owner.scope}/${owner.selector}`)
      return world.config.limitSets(keys)
    },
  }
  return { ...world, node: createTestNode({ ...world, config }), read }
}

describe('a request that names a user and a session', () => {
  const NAMES = { user: 'ann', session: 'run-1' }

  test('reads nothing for the names where no policy on them exists', async () => {
    const world = createWatchedWorld()
    await decide(world, NAMES)
    expect(world.read).toEqual(expect.arrayContaining(['USER/*', 'SESSION/*']))
    expect(world.read).not.toContain('USER/ann')
    expect(world.read).not.toContain('SESSION/run-1')
    const reads = world.config.reads()
    for (const session of ['run-2', 'run 3']) await decide(world, { session })
    await decide(world, { user: 'no id', session: 'run-4' })
    expect(world.config.reads()).toBe(reads)
  })

  test('reads nothing for the names where only policies on all names exist', async () => {
    const world = createWatchedWorld()
    world.config.putPolicy('USER', '*', OF(1))
    world.config.putPolicy('SESSION', '*', OF(1))
    await decide(world, NAMES)
    expect(world.read).not.toContain('USER/ann')
    expect(world.read).not.toContain('SESSION/run-1')
  })

  test('reads the policy of a name once where policies of names exist', async () => {
    const world = createWatchedWorld()
    world.config.putPolicy('SESSION', 'other', OF(1))
    await decide(world, NAMES)
    await decide(world, { ...NAMES, entityId: 'key-2' })
    expect(world.read.filter((name) => name === 'SESSION/run-1')).toHaveLength(1)
    expect(world.read).not.toContain('USER/ann')
  })

  test('takes one write per bucket', async () => {
    const world = createNamedWorld()
    world.config.putLimits(entityOwner('key'), '_default_', OF(100))
    await decide(world, NAMES)
    const [own = 0] = [world.node.counts.bucket_writes]
    world.config.putPolicy('USER', '*', OF(100))
    world.config.putPolicy('SESSION', '*', OF(100))
    world.node.limiter.forget()
    for (const _ of [1, 2, 3]) await decide(world, NAMES)
    expect(world.node.counts.bucket_writes).toBe(own + 9)
  })

  test('is decided by leases as any other', async () => {
    const world = createNamedWorld({ leaseTtlMs: 1000 })
    world.config.putPolicy('SESSION', '*', OF(1000))
    for (let sent = 0; sent < 100; sent++) expect(await isAllowed(world, { session: 'run-1' })).toBe(true)
    expect(world.node.counts.bucket_writes).toBeLessThan(50)
    await world.node.limiter.flush({ all: true })
    const status = await world.node.limiter.statusOfNamed({ scope: 'SESSION', tenant: 'acme', name: 'run-1' })
    expect(status?.limits).toMatchObject([{ available: 900 }])
  })
})
