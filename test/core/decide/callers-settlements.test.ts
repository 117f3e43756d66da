import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { type BucketStore, entityBucket, policyBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { Reservation } from '../../../src/core/decide/decision.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestNode } from '../test-limiter.ts'

const HOUR = 3600

const MOST = Number.MAX_SAFE_INTEGER

const tokens = (capacity: number, more: object = {}) => ({
  name: 'tpm',
  capacity,
  refill_rate: 1 / HOUR,
  ...more,
})

interface Sizes {
  readonly own?: readonly object[]
  readonly total?: readonly object[]
  readonly parent?: readonly object[]
  readonly global?: readonly object[]
}

/** `key` below `project`, under a GLOBAL policy; nothing refills within a test. */
const worldWith = ({ own = [], total = [], parent = [], global = [] }: Sizes) => {
  const world = createTestWorld()
  const { config, buckets } = world
  const limits = (list: readonly object[]) => parseLimits(list, 'limits')
  config.putEntity('project')
  config.putEntity('key', { parentId: 'project', priority: 'low' })
  config.putLimits(entityOwner('key'), '_default_', limits(own))
  config.putLimits(entityOwner('key'), '_total_', limits(total))
  config.putLimits(entityOwner('project'), '_default_', limits(parent))
  if (global.length > 0) config.putPolicy('GLOBAL', '*', limits(global))
  const reserve = async (cost: Cost, node: TestNode = world.node): Promise<Reservation> => {
    const decision = await node.limiter.decide({ entityId: 'key', cost, settles: true })
    if (!decision.allowed) throw new Error('denied')
    return decision.reservation
  }
  const settle = ({ charges }: Reservation, actual: Cost, node: TestNode = world.node) =>
    node.limiter.settleCharges(charges, actual, { callerId: 'key' })
  const left = async (id: string, resource = '_default_') => {
    const { limits } = await world.join().limiter.status(id, resource)
    return Object.fromEntries(limits.map(({ limit, available }) => [limit.name, available]))
  }
  const stored = async (id: string) => (await buckets.read(entityBucket(id, '_default_'))) ?? {}
  const global_ = async () => (await buckets.read(policyBucket({ scope: 'GLOBAL', selector: '*' }))) ?? {}
  return { ...world, reserve, settle, left, stored, global: global_ }
}

describe('a caller’s settlement above the reservation', () => {
  test('charges a parent at most what the caller’s own limit had available, and the own limit in full', async () => {
    const { reserve, settle, left, stored } = worldWith({ own: [tokens(100)], parent: [tokens(1000)] })
    await settle(await reserve({ tokens: 10 }), { tokens: 500 })
    expect([await left('key'), await left('project')]).toEqual([{ tpm: 0 }, { tpm: 900 }])
    expect(await stored('key')).toMatchObject({ used_tokens: 500n })
    expect(await stored('project')).toMatchObject({ used_tokens: 100n })
  })

  test('is charged in full if it is available', async () => {
    const { reserve, settle, left } = worldWith({ own: [tokens(100)], parent: [tokens(1000)] })
    await settle(await reserve({ tokens: 10 }), { tokens: 60 })
    expect([await left('key'), await left('project')]).toEqual([{ tpm: 40 }, { tpm: 940 }])
  })

  test('charges a shared bucket at most what it has available', async () => {
    const { reserve, settle, left, global } = worldWith({
      own: [tokens(100)],
      parent: [tokens(30)],
      global: [{ name: 'tpm', algorithm: 'sliding_window', limit: 50, window_seconds: HOUR }],
    })
    await settle(await reserve({ tokens: 10 }), { tokens: MOST })
    expect(await left('project')).toEqual({ tpm: 0 })
    expect(await global()).toMatchObject({ tpm_n: 50n, used_tokens: 50n })
  })

  test('finds nothing available after another settlement, on any node', async () => {
    const world = worldWith({ own: [tokens(100)], parent: [tokens(1000)] })
    const { reserve, settle, left, join } = world
    const nodes = [join(), join(), join()]
    const reservations = await Promise.all(nodes.map((node) => reserve({ tokens: 10 }, node)))
    await Promise.all(reservations.map((each, at) => settle(each, { tokens: MOST }, nodes[at])))
    expect(await left('project')).toEqual({ tpm: 900 })
  })

  test('is bounded by the strictest of the caller’s own limits, `_total_` included', async () => {
    const { reserve, settle, left } = worldWith({
      own: [tokens(100), { name: 'tpd', capacity: 60, refill_rate: 1 / HOUR }],
      total: [tokens(40)],
      parent: [tokens(1000)],
    })
    await settle(await reserve({ tokens: 10 }), { tokens: 80 })
    expect(await left('project')).toEqual({ tpm: 960 })
    expect([await left('key'), await left('key', '_total_')]).toEqual([{ tpm: 20, tpd: 0 }, { tpm: 0 }])
  })

  test('is bounded by the shared bucket alone if the caller has no own limit on the meter', async () => {
    const { reserve, settle, left, stored } = worldWith({ parent: [tokens(1000)] })
    await settle(await reserve({ tokens: 10 }), { tokens: MOST })
    expect(await left('project')).toEqual({ tpm: 0 })
    expect(await stored('project')).toMatchObject({ used_tokens: 1000n })
  })

  test('is not counted on a shared bucket if nothing limits the meter', async () => {
    const { node, reserve, settle, stored } = worldWith({
      parent: [{ name: 'rpm', capacity: 10, refill_rate: 1 }],
    })
    await settle(await reserve({ requests: 1, tokens: 10 }), { tokens: MOST })
    await node.limiter.flush({ all: true })
    expect(await stored('project')).toMatchObject({ used_requests: 1n, used_tokens: 10n })
    expect(await stored('key')).toMatchObject({ used_tokens: BigInt(MOST) })
  })

  test('charges meters that were not reserved to the caller alone', async () => {
    const limits = [tokens(100), { name: 'rpm', capacity: 10, refill_rate: 1 / HOUR }]
    const { reserve, settle, left, stored } = worldWith({ own: limits, parent: limits })
    await settle(await reserve({ requests: 1 }), { requests: 1, tokens: 70 })
    expect([await left('key'), await left('project')]).toEqual([
      { tpm: 30, rpm: 9 },
      { tpm: 100, rpm: 9 },
    ])
    expect(await stored('project')).not.toHaveProperty('used_tokens')
  })

  test('does not use what is kept for callers of a higher priority, on own or shared limits', async () => {
    const headroom = { low: 0.5 }
    const own = worldWith({ own: [tokens(100, { headroom })], parent: [tokens(1000)] })
    await own.settle(await own.reserve({ tokens: 10 }), { tokens: MOST })
    expect(await own.left('project')).toEqual({ tpm: 950 })
    const shared = worldWith({ own: [tokens(100)], parent: [tokens(100, { headroom })] })
    await shared.settle(await shared.reserve({ tokens: 10 }), { tokens: MOST })
    expect(await shared.left('project')).toEqual({ tpm: 50 })
  })

  test('charges limits that only warn as far as they have room, and is not bounded by own ones', async () => {
    const soft = tokens(40, { mode: 'warn' })
    const { reserve, settle, left } = worldWith({
      own: [soft],
      parent: [tokens(1000), { ...soft, name: 'tpd' }],
    })
    await settle(await reserve({ tokens: 10 }), { tokens: 200 })
    expect(await left('project')).toEqual({ tpm: 800, tpd: 30 })
  })

  test('refunds one meter and charges another in the same settlement', async () => {
    const limits = [tokens(100), { name: 'rpm', capacity: 10, refill_rate: 1 / HOUR }]
    const { reserve, settle, left } = worldWith({ own: limits, parent: limits })
    await settle(await reserve({ requests: 1, tokens: 50 }), { requests: 3, tokens: 20 })
    for (const id of ['key', 'project']) expect(await left(id)).toEqual({ tpm: 80, rpm: 7 })
  })

  test.each([
    ['is lost', true],
    ['fails', false],
  ])('charges shared buckets no excess if the response of the own bucket %s', async (_, mayHaveApplied) => {
    const world = worldWith({ own: [tokens(100)], parent: [tokens(1000)] })
    const { reserve, settle, left, stored } = world
    const reservation = await reserve({ tokens: 10 })
    const buckets: BucketStore = {
      ...world.buckets,
      async write(id, write) {
        if (id.kind !== 'entity' || id.entityId !== 'key') return world.buckets.write(id, write)
        if (mayHaveApplied) await world.buckets.write(id, write)
        throw new StoreUnavailable('away', { mayHaveApplied })
      },
    }
    const node = createTestNode({ ...world, buckets })
    await settle(reservation, { tokens: 60 }, node)
    await node.limiter.flush({ all: true })
    expect(await left('project')).toEqual({ tpm: 990 })
    expect(await stored('project')).toMatchObject({ used_tokens: 10n })
  })

  test('drops the excess if every write conflicts, and counts what was reserved', async () => {
    const world = worldWith({ own: [tokens(100)], parent: [tokens(1000)] })
    const { reserve, settle, left, stored } = world
    const reservation = await reserve({ tokens: 10 })
    let tries = 0
    const buckets: BucketStore = {
      ...world.buckets,
      async write(id, write) {
        const charges = write.actions.some(({ path }) => path === 'tpm_tat')
        if (id.kind !== 'entity' || id.entityId !== 'project' || !charges)
          return world.buckets.write(id, write)
        tries++
        return { applied: false, item: await world.buckets.read(id) }
      },
    }
    await settle(reservation, { tokens: 60 }, createTestNode({ ...world, buckets }))
    expect(tries).toBeLessThan(12)
    expect(await left('project')).toEqual({ tpm: 990 })
    expect(await stored('project')).toMatchObject({ used_tokens: 10n })
  })

  test('reads a shared bucket again before it treats it as having nothing available', async () => {
    const world = worldWith({ own: [tokens(100)], parent: [tokens(120)] })
    const { config, node, reserve, settle, left, join } = world
    config.putEntity('sibling', { parentId: 'project' })
    const decide = (of: TestNode) =>
      of.limiter.decide({ entityId: 'sibling', cost: { tokens: 100 }, settles: true })
    const taken = await decide(node)
    const reservation = await reserve({ tokens: 10 })
    if (taken.allowed) await join().limiter.settleCharges(taken.reservation.charges, null)
    await settle(reservation, { tokens: 60 })
    expect(await left('project')).toEqual({ tpm: 60 })
  })
})
