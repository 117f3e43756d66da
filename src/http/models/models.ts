import { Hono } from 'hono'
import { modelIdParam } from '../../contract/fields.ts'
import { modelBody, modelDraftOf, modelResponse, modelsResponse } from '../../contract/models.ts'
import { modelToJson } from '../../core/model/json.ts'
import type { AdminServices, AppEnv } from '../app-dependencies.ts'
import { jsonBody, params } from '../body/validated.ts'
import { describeRoute } from '../openapi/described.ts'

const tag = 'Models'

/** Ids of models may contain `/`. */
const PATH = '/:id{.+}'

export const createModelRoutes = ({ models }: Pick<AdminServices, 'models'>) =>
  new Hono<AppEnv>()
    .get(
      '/',
      describeRoute({ tag, summary: 'List registered models', response: modelsResponse }),
      async (c) => {
        const items = await models.list()
        return c.json({ items: items.map(modelToJson), next_cursor: null })
      },
    )
    .get(
      PATH,
      describeRoute({ tag, summary: 'Get a registered model', response: modelResponse, errors: [400, 404] }),
      params(modelIdParam, { id: 'model_id' }),
      async (c) => c.json(modelToJson(await models.get(c.req.valid('param').id))),
    )
    .put(
      PATH,
      describeRoute({
        tag,
        summary: 'Register a model, or replace it',
        description: '201 if it was not registered. Fields that are not given take their defaults.',
        otherStatus: 201,
        response: modelResponse,
        errors: [400],
      }),
      params(modelIdParam, { id: 'model_id' }),
      jsonBody(modelBody),
      async (c) => {
        const draft = modelDraftOf(c.req.valid('json'))
        const { model, created } = await models.put(c.req.valid('param').id, draft, c.get('identity').kind)
        return c.json(modelToJson(model), created ? 201 : 200)
      },
    )
    .delete(
      PATH,
      describeRoute({ tag, summary: 'Unregister a model', status: 204, errors: [400, 404] }),
      params(modelIdParam, { id: 'model_id' }),
      async (c) => {
        await models.remove(c.req.valid('param').id, c.get('identity').kind)
        return c.body(null, 204)
      },
    )
