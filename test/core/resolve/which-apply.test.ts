import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { DecisionRequest } from '../../../src/core/decide/decision.ts'
import { POLICY_SCOPES } from '../../../src/core/model/policy.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld, type TestWorld } from '../test-limiter.ts'

const PER_HOUR = (capacity: number) => limitsOf({ rph: [capacity, capacity / 3600] })

/** A key below a project below a tenant, a model with a tier, and a policy of every scope. */
const createPolicyWorld = (settings = {}): TestWorld => {
  const world = createTestWorld(settings)
  const { config } = world
  config.putEntity('acme', { kind: 'tenant' })
  config.putEntity('project', { kind: 'project', parentId: 'acme' })
  config.putEntity('key', { parentId: 'project' })
  config.putModel('gpt', 'premium')
  config.putModel('tiny', 'free')
  config.putPolicy('USER_MODEL', 'ann/gpt', PER_HOUR(10))
  config.putPolicy('API_KEY', 'key', PER_HOUR(20))
  config.putPolicy('TENANT', 'acme', PER_HOUR(30))
  config.putPolicy('MODEL', 'gpt', PER_HOUR(40))
  config.putPolicy('MODEL_TIER', 'premium', PER_HOUR(50))
  config.putPolicy('GLOBAL', '*', PER_HOUR(60))
  return world
}

const decide = (world: TestWorld, request: Partial<DecisionRequest> = {}, node = world.node) =>
  node.limiter.decide({
    entityId: 'key',
    resource: 'gpt',
    cost: { requests: 1 },
    settles: false,
    ...request,
  })

const policiesOf = async (world: TestWorld, request: Partial<DecisionRequest> = {}) =>
  (await decide(world, request)).limits
    .filter(({ bucket }) => bucket.kind === 'policy')
    .map(({ entityId }) => entityId.replace('POLICY:', ''))

const ALL = [
  'USER_MODEL:ann:gpt',
  'API_KEY:key',
  'TENANT:acme',
  'MODEL:gpt',
  'MODEL_TIER:premium',
  'GLOBAL:*',
]

describe('the applicable policies', () => {
  test('are those of the user, session, key, tenant, model, tier and everyone, most specific first', async () => {
    const world = createPolicyWorld()
    expect(await policiesOf(world, { user: 'ann' })).toEqual(ALL)
    world.config.putPolicy('USER', '*', PER_HOUR(15))
    world.config.putPolicy('SESSION', '*', PER_HOUR(12))
    world.node.limiter.forget()
    const all = ALL.toSpliced(1, 0, 'SESSION:*', 'USER:*')
    expect(await policiesOf(world, { user: 'ann', session: 'run' })).toEqual(all)
    expect(all.map((name) => name.split(':')[0])).toEqual([...POLICY_SCOPES])
  })

  test('follow the entity and its parents, and contain their source', async () => {
    const world = createPolicyWorld()
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [5, 1] }))
    world.config.putLimits(entityOwner('project'), '_total_', limitsOf({ rpm: [5, 1] }))
    const { limits } = await decide(world, { user: 'ann' })
    expect(limits.map(({ entityId, resource, own, source }) => [entityId, resource, own, source])).toEqual([
      ['key', 'gpt', true, 'entity:_default_'],
      ['project', '_total_', false, 'entity:_total_'],
      ...ALL.map((name) => [`POLICY:${name}`, '_total_', false, `policy:${name}`]),
    ])
  })

  test('include no user policy if no user is named or the user cannot have a policy', async () => {
    const world = createPolicyWorld()
    for (const user of [undefined, '', 'bob', 'a#b', 'a user\n', '#', 'ann#gpt'])
      expect(await policiesOf(world, user === undefined ? {} : { user })).toEqual(ALL.slice(1))
  })

  test('include no model policy if the resource is not a model', async () => {
    const world = createPolicyWorld()
    world.config.putLimits(entityOwner('key'), 'search', limitsOf({ rpm: [5, 1] }))
    world.config.putPolicy('MODEL', 'search', PER_HOUR(1))
    world.config.putPolicy('MODEL', 'unheard-of', PER_HOUR(1))
    for (const resource of ['search', 'unheard-of', '_default_'])
      expect(await policiesOf(world, { user: 'ann', resource })).toEqual([
        'API_KEY:key',
        'TENANT:acme',
        'GLOBAL:*',
      ])
  })

  test("include the tenant's even without cascade", async () => {
    const world = createPolicyWorld()
    world.config.putEntity('key', { parentId: 'project', cascade: false })
    world.config.putLimits(entityOwner('project'), '_default_', limitsOf({ rpm: [1, 1 / 3600] }))
    expect(await policiesOf(world)).toContain('TENANT:acme')
    expect((await decide(world)).allowed).toBe(true)
  })

  test('include those of the nearest tenant, or of the entity itself if it is one', async () => {
    const world = createPolicyWorld()
    world.config.putEntity('project', { kind: 'tenant', parentId: 'acme' })
    world.config.putPolicy('TENANT', 'project', PER_HOUR(5))
    world.config.putPolicy('TENANT', 'key', PER_HOUR(5))
    expect(await policiesOf(world)).toContain('TENANT:project')
    world.config.putEntity('key', { kind: 'tenant', parentId: 'project' })
    world.node.limiter.forget()
    expect(await policiesOf(world)).toContain('TENANT:key')
  })

  test('follow the context if there is one', async () => {
    const world = createPolicyWorld()
    world.config.putPolicy('TENANT', 'other', PER_HOUR(5))
    world.config.putPolicy('MODEL_TIER', 'free', PER_HOUR(5))
    const tier = await policiesOf(world, { context: { tier: 'free' } })
    expect(tier).toEqual(['API_KEY:key', 'TENANT:acme', 'MODEL:gpt', 'MODEL_TIER:free', 'GLOBAL:*'])
    const model = await policiesOf(world, { user: 'ann', context: { model: 'tiny', tenant: 'other' } })
    expect(model).toEqual(['API_KEY:key', 'TENANT:other', 'MODEL_TIER:free', 'GLOBAL:*'])
    const both = await policiesOf(world, { resource: 'tiny', user: 'ann', context: { model: 'gpt' } })
    expect(both).toEqual(ALL)
  })

  test.each([{ tenant: 'a#b' }, { model: '' }, { tier: 'a tier' }])(
    'refuse a context of %j',
    async (context) => {
      const world = createPolicyWorld()
      await expect(decide(world, { context })).rejects.toMatchObject({
        code: 'invalid_request',
        field: `context.${Object.keys(context)[0]}`,
      })
    },
  )

  test('apply neither to an entity that bypasses limits nor while limiting is off', async () => {
    const world = createPolicyWorld()
    world.config.putPolicy('GLOBAL', '*', limitsOf({ rph: [1, 1 / 3600] }))
    world.config.putEntity('key', { parentId: 'project', bypass: true })
    for (const _ of [1, 2, 3]) expect(await decide(world)).toMatchObject({ allowed: true, limits: [] })
    const off = createPolicyWorld({ isEnabled: false })
    off.config.putPolicy('GLOBAL', '*', limitsOf({ rph: [1, 1 / 3600] }))
    for (const _ of [1, 2, 3])
      expect(await off.node.limiter.checkPolicies({})).toMatchObject({ allowed: true })
  })
})

describe("a policy's limits", () => {
  test('are shared by all it applies to, over all resources', async () => {
    const world = createPolicyWorld()
    world.config.putEntity('other-key', { parentId: 'acme' })
    world.config.putPolicy('TENANT', 'acme', limitsOf({ rph: [2, 1 / 3600] }))
    expect(await decide(world)).toMatchObject({ allowed: true })
    expect(await decide(world, { entityId: 'other-key', resource: 'tiny' })).toMatchObject({ allowed: true })
    const denied = await decide(world)
    expect(denied).toMatchObject({
      allowed: false,
      violations: [{ state: { entityId: 'POLICY:TENANT:acme', resource: '_total_', own: false } }],
    })
    expect(await world.buckets.read({ kind: 'policy', scope: 'TENANT', selector: 'acme' })).toBeDefined()
  })

  test('deny without charging the others', async () => {
    const world = createPolicyWorld()
    world.config.putPolicy('TENANT', 'acme', limitsOf({ rph: [1, 1 / 3600] }))
    await decide(world, { user: 'ann' })
    for (const _ of [1, 2, 3]) {
      const { allowed, limits } = await decide(world, { user: 'ann' })
      expect(allowed).toBe(false)
      expect(limits.map(({ used }) => used)).toEqual([1, 1, 1, 1, 1, 1])
    }
  })

  test('keep two users apart whose names run into the model', async () => {
    const world = createPolicyWorld()
    world.config.putModel('c')
    world.config.putModel('b:c')
    world.config.putPolicy('USER_MODEL', 'a:b/c', limitsOf({ rph: [1, 1 / 3600] }))
    world.config.putPolicy('USER_MODEL', 'a/b:c', limitsOf({ rph: [1, 1 / 3600] }))
    expect(await decide(world, { user: 'a:b', resource: 'c' })).toMatchObject({ allowed: true })
    expect(await decide(world, { user: 'a', resource: 'b:c' })).toMatchObject({ allowed: true })
    expect(await decide(world, { user: 'a', resource: 'b:c' })).toMatchObject({ allowed: false })
  })

  test('are read correctly beside an entity with the name of a policy', async () => {
    const world = createPolicyWorld()
    const id = 'POLICY:TENANT:acme'
    world.config.putEntity(id, { parentId: 'acme' })
    world.config.putLimits(entityOwner(id), '_total_', limitsOf({ rpm: [5, 1 / 3600] }))
    world.config.putPolicy('TENANT', 'acme', limitsOf({ rph: [1, 1 / 3600] }))
    const other = world.join()
    await decide(world, { entityId: id })
    await decide(world, { entityId: id }, other)
    world.config.putLimits(entityOwner(id), '_total_', limitsOf({ rpm: [50, 1 / 3600] }))
    world.config.putPolicy('TENANT', 'acme', limitsOf({ rph: [7, 1 / 3600] }))
    world.node.limiter.forget()
    expect(await decide(world, { entityId: id })).toMatchObject({ allowed: true })
    const { limits } = await decide(world, { entityId: id }, other)
    expect(limits.filter(({ resource }) => resource === '_total_').map(({ capacity }) => capacity)).toEqual(
      expect.arrayContaining([50, 7]),
    )
  })

  test('apply within a second on every node after they are raised, and after they are lowered', async () => {
    const world = createPolicyWorld()
    world.config.putPolicy('TENANT', 'acme', limitsOf({ rph: [1, 1 / 3600] }))
    const other = world.join()
    await decide(world)
    expect(await decide(world, {}, other)).toMatchObject({ allowed: false })
    world.config.putPolicy('TENANT', 'acme', limitsOf({ rph: [3, 1 / 3600] }))
    world.clock.advance(2n * SECOND)
    expect(await decide(world, {}, other)).toMatchObject({ allowed: true })
    world.config.putPolicy('TENANT', 'acme', [])
    world.clock.advance(31n * SECOND)
    expect(await policiesOf(world)).not.toContain('TENANT:acme')
    world.config.putPolicy('TENANT', 'acme', limitsOf({ rph: [2, 1 / 3600] }))
    world.clock.advance(31n * SECOND)
    expect(await decide(world, {}, other)).toMatchObject({ allowed: false })
  })

  test('apply to a check on policies alone as they do beside an entity', async () => {
    const world = createPolicyWorld()
    const other = world.join()
    const subject = { tenant: 'acme', user: 'ann', model: 'gpt' }
    world.config.putPolicy('TENANT', 'acme', limitsOf({ rph: [1, 1 / 3600] }))
    expect(await decide(world)).toMatchObject({ allowed: true })
    expect(await other.limiter.checkPolicies(subject)).toMatchObject({
      allowed: false,
      violations: [{ state: { entityId: 'POLICY:TENANT:acme' } }],
    })
    world.config.putPolicy('TENANT', 'acme', limitsOf({ rph: [3, 1 / 3600] }))
    world.clock.advance(2n * SECOND)
    expect(await other.limiter.checkPolicies(subject)).toMatchObject({ allowed: true })
    expect(await other.limiter.checkPolicies({ tenant: 'nobody' })).toMatchObject({
      allowed: true,
      limits: [{ entityId: 'POLICY:GLOBAL:*' }],
    })
    await expect(other.limiter.checkPolicies({ tenant: 'a#b' })).rejects.toMatchObject({ field: 'tenant' })
  })

  test('reserve headroom from a check on policies alone as from a caller of normal priority', async () => {
    const world = createPolicyWorld()
    const rph = { name: 'rph', capacity: 4, refill_rate: 1 / 3600, headroom: { normal: 0.5 } }
    world.config.putPolicy('TENANT', 'acme', parseLimits([rph], 'limits'))
    const responses = []
    for (const _ of [1, 2, 3]) responses.push(await world.node.limiter.checkPolicies({ tenant: 'acme' }))
    expect(responses.map(({ allowed }) => allowed)).toEqual([true, true, false])
    world.config.putEntity('urgent', { parentId: 'acme', priority: 'high' })
    expect(await decide(world, { entityId: 'urgent' })).toMatchObject({ allowed: true })
  })

  test('cost one write each, which also counts earlier use', async () => {
    const world = createPolicyWorld({ useDelayMs: 0 })
    const { limiter, counts } = world.node
    const used = async () =>
      (await world.buckets.read({ kind: 'policy', scope: 'TENANT', selector: 'acme' }))?.used_requests
    for (const writes of [2, 4, 6]) {
      await limiter.checkPolicies({ tenant: 'acme' })
      await limiter.flush()
      expect(counts.bucket_writes).toBe(writes)
    }
    expect(await used()).toBe(2n)
    await limiter.flush({ all: true })
    expect(await used()).toBe(3n)
  })

  test('are read once for concurrent callers', async () => {
    const world = createPolicyWorld()
    await decide(world, { user: 'ann' })
    const reads = world.config.reads()
    await decide(world, { user: 'ann' })
    expect(world.config.reads()).toBe(reads)
    await decide(world, { user: 'bob' })
    expect(world.config.reads()).toBe(reads + 1)
    await decide(world, { user: 'no id at all' })
    expect(world.config.reads()).toBe(reads + 1)
  })
})
