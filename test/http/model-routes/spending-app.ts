import { ADMIN, createTestApp, type TestAppOptions } from '../test-app.ts'

/** An app whose entity `spender` has these limits. */
export const createSpendingApp = async (limits: readonly object[], options: TestAppOptions) => {
  const app = createTestApp(options)
  const { send, deps } = app
  const addEntity = async (entity_id: string, { limits, ...fields }: NewEntity = {}): Promise<void> => {
    await send('POST', '/api/entities', { body: { entity_id, name: entity_id, ...fields } })
    if (limits !== undefined) await send('PUT', `/api/limits/${entity_id}`, { body: { limits } })
  }
  await addEntity('spender', { limits })
  return {
    ...app,
    addEntity,
    /** A request for an entity, by the admin. */
    post: (path: string, body: object, entityId = 'spender') =>
      send('POST', path, { headers: { ...ADMIN, 'x-zael-entity': entityId }, body }),
    /** What an entity has used of a model, by meter, once all is settled. */
    used: async (resource = 'gpt-4', entityId = 'spender') => {
      await deps.limiter.flush({ all: true })
      return (await deps.limiter.status(entityId, resource)).used
    },
  }
}

interface NewEntity {
  readonly parent_id?: string
  readonly limits?: readonly object[]
}
