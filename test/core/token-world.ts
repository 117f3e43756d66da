import { type BucketId, type BucketStore, entityBucket } from '../../src/core/bucket/bucket-store.ts'
import type { BucketItem } from '../../src/core/bucket/write.ts'
import type { Allowed, DecisionRequest } from '../../src/core/decide/decision.ts'
import { StoreUnavailable } from '../../src/core/model/errors.ts'
import type { Cost } from '../../src/core/model/meter.ts'
import { entityOwner, limitsOf } from './test-config.ts'
import { createTestWorld, type TestNode, type TestWorld } from './test-limiter.ts'

/** One entity, `key`, with one limit on tokens, `tpm`. Configuration is read again for nearly every decision. */
export const worldOf = (capacity: number, refillRate: number): TestWorld => {
  const world = createTestWorld({ configCacheMs: 1 })
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [capacity, refillRate] }))
  return world
}

/** Reserves a cost for `key`; throws if it is denied. */
export const reserveCost = async (node: TestNode, cost: Cost): Promise<Allowed> => {
  const decision = await node.limiter.decide({ entityId: 'key', cost, settles: true })
  if (!decision.allowed) throw new Error(`denied ${JSON.stringify(cost)}`)
  return decision
}

export const reserve = (node: TestNode, tokens: number): Promise<Allowed> => reserveCost(node, { tokens })

export const admits = async (
  node: TestNode,
  tokens: number,
  options: Partial<DecisionRequest> = {},
): Promise<boolean> =>
  (await node.limiter.decide({ entityId: 'key', cost: { tokens }, settles: false, ...options })).allowed

/** The available amount of the first limit of `key`, for a node without a cache. */
export const available = async (world: TestWorld): Promise<number | undefined> =>
  (await world.join().limiter.status('key', '_default_')).limits[0]?.available

/** The stored bucket of an entity. */
export const stored = async (world: TestWorld, entityId = 'key'): Promise<BucketItem> =>
  (await world.buckets.read(entityBucket(entityId, '_default_'))) ?? {}

/** The world's table; calls fail, certainly not applied, while `isAway` is true for the entity. */
export const sometimesUnavailable = (
  world: TestWorld,
  isUnavailable: (entityId: string) => boolean,
): BucketStore => {
  const reach = (id: BucketId): void => {
    if (id.kind === 'entity' && isUnavailable(id.entityId))
      throw new StoreUnavailable('away', { mayHaveApplied: false })
  }
  return {
    ...world.buckets,
    async write(id, write) {
      reach(id)
      return world.buckets.write(id, write)
    },
    async read(id) {
      reach(id)
      return world.buckets.read(id)
    },
  }
}
