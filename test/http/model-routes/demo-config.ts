import type { Entity } from '../../../src/core/model/entity.ts'
import type { Limit } from '../../../src/core/model/limit.ts'
import { DEFAULT_RESOURCE, type LimitSetKey } from '../../../src/core/model/limit-set.ts'
import type { Model } from '../../../src/core/model/model.ts'
import type { ConfigStore } from '../../../src/core/ports/config-store.ts'
import { aModel } from '../../store/store-fixtures.ts'

/** [id, parent, rpm, tpm], as loaded by `seed/`. */
const DEMO = [
  ['proj-demo', null, 50, 10_000],
  ['key-alice', 'proj-demo', 30, 3000],
  ['key-bob', 'proj-demo', 10, 1000],
  ['key-charlie', 'proj-demo', 20, 2000],
] as const

const MODELS = ['gpt-4', 'gpt-4o', 'org/tiny-model']

const perMinute = (name: 'rpm' | 'tpm', capacity: number): Limit => ({
  name,
  meter: name === 'rpm' ? 'requests' : 'tokens',
  size: { algorithm: 'token_bucket', capacity, refillRate: capacity / 60 },
})

const entity = (id: string, parentId: string | null): Entity => ({
  id,
  name: id,
  kind: parentId === null ? 'project' : 'key',
  parentId,
  cascade: true,
  role: null,
  priority: 'normal',
  models: id === 'key-charlie' ? ['gpt-4'] : null,
  disabled: false,
  bypass: false,
  metadata: {},
  createdAt: 0n,
  version: 1n,
})

const model = (id: string): Model => aModel({ id, createdAt: 1_700_000_000_000_000_000n })

/** The demo project with its three keys; key-charlie may use gpt-4 only. */
export const demoEntities: ReadonlyMap<string, Entity> = new Map(
  DEMO.map(([id, parentId]) => [id, entity(id, parentId)]),
)

const limitsOf = ({ owner, resource }: LimitSetKey): readonly Limit[] | undefined => {
  const row =
    owner.kind === 'entity' && resource === DEFAULT_RESOURCE
      ? DEMO.find(([id]) => id === owner.id)
      : undefined
  return row && [perMinute('rpm', row[2]), perMinute('tpm', row[3])]
}

export const demoConfig: ConfigStore & { listModels(): Promise<readonly Model[]> } = {
  entity: async (id) => demoEntities.get(id),
  entities: async (ids) => ids.map((id) => demoEntities.get(id)),
  model: async (id) => (MODELS.includes(id) ? model(id) : undefined),
  limitSets: async (keys) =>
    keys.map((key) => {
      const limits = limitsOf(key)
      return limits && { limits, version: 1n }
    }),
  apiKey: async () => undefined,
  listModels: async () => MODELS.map(model),
}
