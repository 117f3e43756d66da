import { Hono } from 'hono'
import { modelIdParam } from '../../contract/fields.ts'
import { modelBody, modelDraftOf, modelResponse, modelsResponse } from '../../contract/models.ts'
import { modelToJson } from '../../core/model/json.ts'
import type { AdminServices, AppEnv } from '../app-dependencies.ts'
import { jsonBody, params } from '../body/validated.ts'
import { preconditionOf, setEtag } from '../etag.ts'
import { describeRoute } from '../openapi/described.ts'

const tag = 'Models'

/** Ids of models may contain `/`. */
const PATH = '/:id{.+}'

type Needs = Pick<AdminServices, 'models'>

export const createModelRoutes = (needs: Needs) =>
  new Hono<AppEnv>().route('/', createReadRoutes(needs)).route('/', createWriteRoutes(needs))

const createReadRoutes = ({ models }: Needs) =>
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
      describeRoute({
        tag,
        summary: 'Get a registered model',
        response: modelResponse,
        etag: 'shown',
        errors: [400, 404],
      }),
      params(modelIdParam, { id: 'model_id' }),
      async (c) => {
        const model = await models.get(c.req.valid('param').id)
        setEtag(c, model.version)
        return c.json(modelToJson(model))
      },
    )

const createWriteRoutes = ({ models }: Needs) =>
  new Hono<AppEnv>()
    .put(
      PATH,
      describeRoute({
        tag,
        summary: 'Register a model, or replace it',
        description: '201 if it was not registered. Fields that are not given take their defaults.',
        otherStatus: 201,
        response: modelResponse,
        etag: 'compared',
        errors: [400, 409],
      }),
      params(modelIdParam, { id: 'model_id' }),
      jsonBody(modelBody),
      async (c) => {
        const draft = modelDraftOf(c.req.valid('json'))
        const { id } = c.req.valid('param')
        const { model, created } = await models.put(id, draft, c.get('identity').kind, preconditionOf(c))
        setEtag(c, model.version)
        return c.json(modelToJson(model), created ? 201 : 200)
      },
    )
    .delete(
      PATH,
      describeRoute({
        tag,
        summary: 'Unregister a model',
        status: 204,
        etag: 'condition',
        errors: [400, 404, 409],
      }),
      params(modelIdParam, { id: 'model_id' }),
      async (c) => {
        await models.remove(c.req.valid('param').id, c.get('identity').kind, preconditionOf(c))
        return c.body(null, 204)
      },
    )
