import { createHash } from 'node:crypto'
import { parseLimits } from '../../src/contract/limits.ts'
import { type EntityPatch, newEntity } from '../../src/core/admin/entities.ts'
import type { ApiKey } from '../../src/core/model/key.ts'
import { type LimitOwner, policyLimitSet } from '../../src/core/model/limit-set.ts'
import type { PolicyScope } from '../../src/core/model/policy.ts'
import { type LimitDefinition, memoryStore } from '../../src/library/index.ts'
import { createMemoryAdminStore } from '../support/memory-admin-store.ts'

const audit = { id: '1', at: 1n, actor: 'test', action: 'test', subject: 'test', before: null, after: null }

/** What a deployed zael would keep, without an engine: a store with entities, keys and limits. */
export const createTableWorld = () => {
  const config = createMemoryAdminStore()
  return {
    store: { ...memoryStore(), config },
    addEntity: (id: string, fields: EntityPatch = {}) =>
      config.createEntity({ ...newEntity({ id, name: id }, 1n), ...fields }, audit),
    async change(id: string, fields: EntityPatch) {
      const entity = await config.entity(id)
      if (entity === undefined) throw new Error(`there is no ${id}`)
      await config.replaceEntity(
        { ...entity, ...fields, version: entity.version + 1n },
        entity.version,
        audit,
      )
    },
    limit: (id: string, capacity: number, owner: LimitOwner = { kind: 'entity', id }) =>
      config.putLimitSet(
        { owner, resource: '_default_' },
        { limits: parseLimits([{ name: 'rpm', capacity, refill_rate: 0.01 }], 'limits'), version: 1n },
        null,
        audit,
      ),
    policy: (scope: PolicyScope, selector: string, limit: LimitDefinition) =>
      config.putLimitSet(
        policyLimitSet({ scope, selector }),
        { limits: parseLimits([limit], 'limits'), version: 1n },
        null,
        audit,
      ),
    async addKey(entityId: string, secret: string, fields: Partial<ApiKey> = {}) {
      const key: ApiKey = {
        keyId: secret,
        entityId,
        name: '',
        prefix: secret.slice(0, 2),
        status: 'active',
        expiresAt: null,
        createdAt: 1n,
        ...fields,
      }
      await config.putKey(key, createHash('sha256').update(secret).digest('hex'), audit)
      return key
    },
    revoke: (key: ApiKey) => config.updateKey({ ...key, status: 'revoked' }, audit),
  }
}
