import { Hono } from 'hono'
import { openAiErrorResponse } from '../../contract/errors.ts'
import { openAiModelResponse, openAiModelsResponse } from '../../contract/models.ts'
import type { Model } from '../../core/model/model.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import type { ActingIdentity, AppEnv } from '../app-dependencies.ts'
import { describeOperation, jsonResponse } from '../openapi/described.ts'
import { type ModelLookup, mayUse, usableModel } from './model-lookup.ts'

const modelJson = ({ id, createdAt }: Model) => ({
  id,
  object: 'model' as const,
  created: Number(createdAt / SECOND_NS),
  owned_by: 'zael',
})

export interface ModelRoutesNeeds {
  readonly store: Pick<AdminStore, 'listModels'>
}

/** `GET /models`, `GET /models/{id}`: the registered models that the caller may use; an id may contain `/`. */
export const createModelRoutes = ({ store }: ModelRoutesNeeds, models: ModelLookup): Hono<AppEnv> => {
  const app = new Hono<AppEnv>()
  /** An admin who only reads need not name an entity. */
  const entityOf = (acting: ActingIdentity | undefined) => acting?.entity ?? null

  app.get(
    '/models',
    describeOperation({
      tags: ['Chat'],
      summary: 'List the models you may use',
      responses: { 200: jsonResponse('The registered models', openAiModelsResponse) },
    }),
    async (c) => {
      const entity = entityOf(c.get('acting'))
      const all = await store.listModels()
      const data = all.filter(({ id }) => entity === null || mayUse(entity, id)).map(modelJson)
      return c.json({ object: 'list' as const, data })
    },
  )
  app.get(
    '/models/:id{.+}',
    describeOperation({
      tags: ['Chat'],
      summary: 'Get a model; its id may contain /',
      parameters: [{ in: 'path', name: 'id', required: true, schema: { type: 'string' } }],
      responses: {
        200: jsonResponse('The model', openAiModelResponse),
        403: jsonResponse('You may not use it', openAiErrorResponse),
        404: jsonResponse('The model does not exist', openAiErrorResponse),
      },
    }),
    async (c) => c.json(modelJson(await usableModel(models, c.req.param('id'), entityOf(c.get('acting'))))),
  )
  return app
}
