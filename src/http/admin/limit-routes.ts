import { Hono } from 'hono'
import { idParam, resourceQuery } from '../../contract/fields.ts'
import { explainResponse, limitsBody, limitsResponse } from '../../contract/limits.ts'
import type { Limiter } from '../../core/decide/limiter.ts'
import { DEFAULT_RESOURCE } from '../../core/model/limit-set.ts'
import { parseLimits } from '../../core/model/parse-limit.ts'
import type { AppEnv } from '../app-dependencies.ts'
import { jsonBody, params, query } from '../body/validated.ts'
import { described } from '../docs/described.ts'
import type { AdminServices } from './admin-services.ts'
import { effectiveLimitJson, explainedBucketJson, explainedLimitJson } from './limit-json.ts'
import { oneResource } from './one-resource.ts'

const tag = 'Limits'

type Needs = Pick<AdminServices, 'limitSets'> & { readonly limiter: Limiter }

export const createLimitRoutes = (needs: Needs) =>
  new Hono<AppEnv>().route('/', createReadRoutes(needs)).route('/', createWriteRoutes(needs))

const createReadRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .get(
      '/:id',
      described({ tag, summary: 'Show the limits in force', answer: limitsResponse, errors: [400, 404] }),
      params(idParam),
      query(resourceQuery),
      async (c) => {
        const { resource = DEFAULT_RESOURCE } = c.req.valid('query')
        return c.json(await limitsInForce(needs, c.req.valid('param').id, resource))
      },
    )
    .get(
      '/:id/explain',
      described({
        tag,
        summary: 'Show where each limit comes from, and what it overrode',
        answer: explainResponse,
        errors: [400, 404],
      }),
      params(idParam),
      query(resourceQuery),
      async (c) => {
        const { resource = DEFAULT_RESOURCE } = c.req.valid('query')
        const { id } = c.req.valid('param')
        return c.json(await explained(needs, id, resource))
      },
    )

const createWriteRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .put(
      '/:id',
      described({
        tag,
        summary: 'Replace the entity’s limits',
        answer: limitsResponse,
        errors: [400, 404, 409],
      }),
      params(idParam),
      query(resourceQuery),
      jsonBody(limitsBody),
      async (c) => {
        const { resource: named, limits } = c.req.valid('json')
        const resource = oneResource(named, c.req.valid('query')) ?? DEFAULT_RESOURCE
        const { id } = c.req.valid('param')
        const key = { owner: { kind: 'entity', id }, resource } as const
        await needs.limitSets.replace(key, parseLimits(limits, 'limits'), c.get('identity').kind)
        return c.json(await limitsInForce(needs, id, resource))
      },
    )
    .delete(
      '/:id',
      described({ tag, summary: 'Return to what is inherited', status: 204, errors: [400, 404, 409] }),
      params(idParam),
      query(resourceQuery),
      async (c) => {
        const { resource = DEFAULT_RESOURCE } = c.req.valid('query')
        const key = { owner: { kind: 'entity', id: c.req.valid('param').id }, resource } as const
        await needs.limitSets.replace(key, [], c.get('identity').kind)
        return c.body(null, 204)
      },
    )

const limitsInForce = async ({ limiter }: Needs, entityId: string, resource: string) => {
  const limits = await limiter.explain(entityId, resource)
  return { entity_id: entityId, resource, limits: limits.map(effectiveLimitJson) }
}

const explained = async ({ limiter }: Needs, entityId: string, resource: string) => {
  const limits = await limiter.explain(entityId, resource)
  const others = await limiter.explainOthers(entityId, resource)
  return {
    entity_id: entityId,
    resource,
    limits: limits.map(explainedLimitJson),
    also_enforced: others.map(explainedBucketJson),
  }
}
