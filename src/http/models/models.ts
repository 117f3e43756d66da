import { Hono } from 'hono'
import type * as v from 'valibot'
import { modelIdParam } from '../../contract/fields.ts'
import { modelBody, modelResponse, modelsResponse } from '../../contract/models.ts'
import type { ModelDraft } from '../../core/admin/models.ts'
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
    .put(
      PATH,
      describeRoute({
        tag,
        summary: 'Register a model, or replace its tier and prices',
        description: '201 if it was not registered.',
        otherStatus: 201,
        response: modelResponse,
        errors: [400],
      }),
      params(modelIdParam, { id: 'model_id' }),
      jsonBody(modelBody),
      async (c) => {
        const draft = draftOf(c.req.valid('json'))
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

const draftOf = ({ tier, prices }: v.InferOutput<typeof modelBody>): ModelDraft => ({
  tier: tier ?? null,
  prices: prices
    ? {
        inputPerMillion: prices.input_per_million,
        outputPerMillion: prices.output_per_million,
        ...(prices.cached_input_per_million !== undefined && {
          cachedInputPerMillion: prices.cached_input_per_million,
        }),
      }
    : null,
})
