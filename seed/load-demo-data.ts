import type { AdminDependencies } from '../src/core/admin/audit.ts'
import { createEntityService } from '../src/core/admin/entities.ts'
import { createKeyService } from '../src/core/admin/keys.ts'
import { createLimitSetService } from '../src/core/admin/limits.ts'
import { createModelService } from '../src/core/admin/models.ts'
import { ZaelError } from '../src/core/model/errors.ts'
import type { DemoData } from './demo-data.ts'

const ACTOR = 'seed'

/** True: created. False: it existed. */
const unlessThere = async (make: () => Promise<unknown>): Promise<boolean> => {
  try {
    await make()
    return true
  } catch (error) {
    if (error instanceof ZaelError && error.code === 'conflict') return false
    throw error
  }
}

const countOf = (made: readonly boolean[]): number => made.filter(Boolean).length

const inTurn = async <T>(items: readonly T[], load: (item: T) => Promise<boolean>): Promise<number> => {
  const made: boolean[] = []
  for (const item of items) made.push(await load(item))
  return countOf(made)
}

/**
 * Creates the missing items and leaves existing ones unchanged, so it may run any number of times. Returns the number of
 * created items. Throws `StoreUnavailable`.
 */
export const loadDemoData = async (
  dependencies: Omit<AdminDependencies, 'changed'>,
  data: DemoData,
): Promise<{ readonly made: number }> => {
  const deps: AdminDependencies = { ...dependencies, changed: () => {} }
  const { store } = deps
  const entities = createEntityService(deps)
  const keys = createKeyService(deps, { shortestSecret: 1 })
  const models = createModelService(deps)
  const limitSets = createLimitSetService(deps)

  const loaded = [
    await inTurn(data.entities, (draft) => unlessThere(() => entities.create(draft, ACTOR))),
    await inTurn(data.keysOf, (id) =>
      unlessThere(() => keys.create(id, { name: 'demo', secret: id }, ACTOR)),
    ),
    await inTurn(data.models, async ({ id, ...draft }) => {
      const isThere = (await store.model(id)) !== undefined
      if (!isThere) await models.put(id, draft, ACTOR)
      return !isThere
    }),
    await inTurn(data.limits, async ({ limits, ...key }) => {
      const [stored] = await store.limitSets([key])
      if (stored === undefined) await limitSets.replace(key, limits, ACTOR)
      return stored === undefined
    }),
  ]
  return { made: loaded.reduce((sum, count) => sum + count, 0) }
}
