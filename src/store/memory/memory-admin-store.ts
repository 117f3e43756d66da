import { limitSetText, ownerText, type Policy } from '../../core/model/limit-set.ts'
import type { PolicyKey } from '../../core/model/policy.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import { decodePolicyCursor, encodePolicyCursor } from '../policy-cursor.ts'
import { createMemoryApiKeys } from './memory-api-keys.ts'
import { createMemoryAudit } from './memory-audit.ts'
import { createMemoryEntities } from './memory-entities.ts'
import { byText, createMemoryTables, type MemoryTables } from './memory-tables.ts'

/** What administrators change and list, without an engine: for tests and a single process that may forget. */
export const createMemoryAdminStore = (): AdminStore => {
  const tables = createMemoryTables()
  return {
    ...createMemoryEntities(tables),
    ...createMemoryApiKeys(tables),
    ...createMemoryModels(tables),
    ...createMemoryLimitSets(tables),
    listPolicies: createMemoryPolicyList(tables),
    recordAudit: async (record) => void tables.audit.push(record),
    listAudit: createMemoryAudit(tables),
  }
}

const createMemoryModels = ({
  models,
  audit,
}: MemoryTables): Pick<AdminStore, 'model' | 'putModel' | 'deleteModel' | 'listModels'> => ({
  model: async (id) => models.get(id),
  async putModel(model, record) {
    models.set(model.id, model)
    audit.push(record)
  },
  async deleteModel(id, record) {
    if (!models.delete(id)) return 'missing'
    audit.push(record)
    return 'deleted'
  },
  listModels: async () => [...models.values()].sort((a, b) => byText(a.id, b.id)),
})

const createMemoryLimitSets = ({
  limitSets,
  audit,
}: MemoryTables): Pick<AdminStore, 'limitSets' | 'putLimitSet' | 'limitedResources'> => ({
  limitSets: async (keys) => keys.map((key) => limitSets.get(limitSetText(key))?.set),
  async putLimitSet(key, set, expectedVersion, record) {
    const name = limitSetText(key)
    if ((limitSets.get(name)?.set.version ?? null) !== expectedVersion) return 'changed'
    limitSets.set(name, { key, set })
    audit.push(record)
    return 'replaced'
  },
  limitedResources: async (owner) =>
    [...limitSets.values()]
      .filter(({ key, set }) => ownerText(key.owner) === ownerText(owner) && set.limits.length > 0)
      .map(({ key }) => key.resource)
      .sort(byText),
})

const createMemoryPolicyList =
  ({ limitSets }: MemoryTables): AdminStore['listPolicies'] =>
  async ({ limit, cursor }) => {
    const after = decodePolicyCursor(cursor)
    const found = [...limitSets.values()]
      .flatMap(({ key: { owner }, set: { limits } }): Policy[] =>
        owner.kind === 'policy' && limits.length > 0 ? [{ key: keyOf(owner), limits }] : [],
      )
      .filter(({ key }) => after === undefined || byText(rangeOf(key), rangeOf(after)) > 0)
      .sort((a, b) => byText(rangeOf(a.key), rangeOf(b.key)))
    const items = found.slice(0, limit)
    const last = items.at(-1)
    const hasMore = last !== undefined && found.length > limit
    return { items, nextCursor: hasMore ? encodePolicyCursor(last.key) : null }
  }

const keyOf = ({ scope, selector }: PolicyKey): PolicyKey => ({ scope, selector })
const rangeOf = ({ scope, selector }: PolicyKey): string => `${scope}#${selector}`
