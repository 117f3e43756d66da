import { parseLimits } from '../../src/contract/limits.ts'
import { newEntity } from '../../src/core/admin/entities.ts'
import type { Entity } from '../../src/core/model/entity.ts'
import type { Limit } from '../../src/core/model/limit.ts'
import {
  type LimitOwner,
  type LimitSet,
  limitSetText,
  policyLimitSet,
} from '../../src/core/model/limit-set.ts'
import type { Model } from '../../src/core/model/model.ts'
import { EVERY_NAME, isNameScope, type PolicyScope, policyKeyOf } from '../../src/core/model/policy.ts'
import type { ConfigStore } from '../../src/core/ports/config-store.ts'
import { aModel } from '../store/store-fixtures.ts'

/** Configuration written directly by a test. */
export interface TestConfig extends ConfigStore {
  putEntity(id: string, fields?: Partial<Entity>): void
  putModel(id: string, tier?: string): void
  /** `selector` as in a path: `ent-user-2/gpt-4o`. No limits: the policy is deleted. */
  putPolicy(scope: PolicyScope, selector: string, limits: readonly Limit[]): void
  /** `size`: capacity and tokens per second by limit name. Versions count up by themselves unless given. */
  putLimits(owner: LimitOwner, resource: string, limits: readonly Limit[], version?: bigint): void
  /** Reads of the store so far. */
  reads(): number
}

/** Limits as the API takes them: `limitsOf({ rpm: [10, 10 / 60] })`. */
export const limitsOf = (
  sizes: Readonly<Record<string, readonly [capacity: number, refillRate: number]>>,
): readonly Limit[] =>
  parseLimits(
    Object.entries(sizes).map(([name, [capacity, refill_rate]]) => ({ name, capacity, refill_rate })),
    'limits',
  )

export const entityOwner = (id: string): LimitOwner => ({ kind: 'entity', id })

export const createTestConfig = (): TestConfig => {
  const entities = new Map<string, Entity>()
  const models = new Map<string, Model>()
  const sets = new Map<string, LimitSet>()
  let versions = 0n
  let reads = 0
  const counted = <T>(value: T): Promise<T> => {
    reads++
    return Promise.resolve(value)
  }
  return {
    entity: (id) => counted(entities.get(id)),
    entities: (ids) => counted(ids.map((id) => entities.get(id))),
    model: (id) => counted(models.get(id)),
    limitSets: (keys) => counted(keys.map((key) => sets.get(limitSetText(key)))),
    apiKey: () => counted(undefined),
    putEntity: (id, fields = {}) => entities.set(id, { ...plainEntity(id), ...fields }),
    putModel: (id, tier) => models.set(id, aModel({ id, tier: tier ?? null })),
    putPolicy(scope, selector, limits) {
      const text = limitSetText(policyLimitSet(policyKeyOf(scope, selector)))
      const [before, version] = [sets.get(text), ++versions]
      if (!isNameScope(scope)) return sets.set(text, { limits, version })
      const every = limitSetText(policyLimitSet({ scope, selector: EVERY_NAME }))
      if (text !== every) sets.set(every, { ...(sets.get(every) ?? { limits: [], version }), hasNames: true })
      const since = before === undefined || before.limits.length === 0 ? version : before.since
      sets.set(text, { ...before, limits, version, ...(since !== undefined && { since }) })
    },
    putLimits(owner, resource, limits, version = ++versions) {
      sets.set(limitSetText({ owner, resource }), { limits, version })
    },
    reads: () => reads,
  }
}

const plainEntity = (id: string): Entity => newEntity({ id, name: id, kind: 'key' }, 0n)
