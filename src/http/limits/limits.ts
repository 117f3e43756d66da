import { Hono } from 'hono'
import { idParam, requestQuery, resourceQuery } from '../../contract/fields.ts'
import { explainResponse, limitsBody, limitsResponse } from '../../contract/limits.ts'
import type { LimitState } from '../../core/decide/decision.ts'
import type { BucketStatus, Names } from '../../core/decide/inspector.ts'
import { usedShare } from '../../core/decide/limit-state.ts'
import { invalid } from '../../core/model/errors.ts'
import { DEFAULT_RESOURCE, type LimitSetKey, TOTAL_RESOURCE } from '../../core/model/limit-set.ts'
import { shownMeter } from '../../core/model/meter.ts'
import type { ExplainedLimit } from '../../core/resolve/effective-limits.ts'
import { secondsOf } from '../../web/denial-json.ts'
import type { AdminServices, AppDependencies, AppEnv } from '../app-dependencies.ts'
import { jsonBody, params, query } from '../body/validated.ts'
import { preconditionOf, setEtag } from '../etag.ts'
import { describeRoute } from '../openapi/described.ts'
import { effectiveLimitJson, explainedLimitJson } from './limit-json.ts'

const tag = 'Limits'

type Needs = Pick<AdminServices, 'limitSets' | 'models'> & Pick<AppDependencies, 'limiter' | 'clock'>

export const createLimitRoutes = (needs: Needs) =>
  new Hono<AppEnv>().route('/', createReadRoutes(needs)).route('/', createWriteRoutes(needs))

const createReadRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .get(
      '/:id',
      describeRoute({
        tag,
        summary: 'Show the effective limits',
        response: limitsResponse,
        etag: 'shown',
        errors: [400, 404],
      }),
      params(idParam),
      query(resourceQuery),
      async (c) => {
        const { resource = DEFAULT_RESOURCE } = c.req.valid('query')
        const { id } = c.req.valid('param')
        // before the limits are read: if they change in between, an edit of them is based on an older tag and gets 412
        setEtag(c, (await needs.limitSets.read(setOf(id, resource))).version)
        return c.json(await effectiveLimitsJson(needs, id, resource))
      },
    )
    .get(
      '/:id/explain',
      describeRoute({
        tag,
        summary: 'Show the source of each limit, and the limits that it overrides',
        response: explainResponse,
        etag: 'shown',
        errors: [400, 404],
      }),
      params(idParam),
      query(requestQuery),
      async (c) => {
        const { resource = DEFAULT_RESOURCE, ...names } = c.req.valid('query')
        const { id } = c.req.valid('param')
        setEtag(c, (await needs.limitSets.read(setOf(id, resource))).version)
        return c.json(await explanationJson(needs, id, resource, names))
      },
    )

const createWriteRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .put(
      '/:id',
      describeRoute({
        tag,
        summary: 'Replace the entity’s limits',
        response: limitsResponse,
        etag: 'compared',
        errors: [400, 404, 409],
      }),
      params(idParam),
      query(resourceQuery),
      jsonBody(limitsBody),
      async (c) => {
        const { resource: named, limits } = c.req.valid('json')
        const resource = oneResource(named, c.req.valid('query')) ?? DEFAULT_RESOURCE
        const { id } = c.req.valid('param')
        const actor = c.get('identity').kind
        setEtag(c, await needs.limitSets.replace(setOf(id, resource), limits, actor, preconditionOf(c)))
        return c.json(await effectiveLimitsJson(needs, id, resource))
      },
    )
    .delete(
      '/:id',
      describeRoute({
        tag,
        summary: 'Delete the entity’s limits, so that inherited ones apply',
        status: 204,
        etag: 'compared',
        errors: [400, 404, 409],
      }),
      params(idParam),
      query(resourceQuery),
      async (c) => {
        const { resource = DEFAULT_RESOURCE } = c.req.valid('query')
        const key = setOf(c.req.valid('param').id, resource)
        setEtag(c, await needs.limitSets.replace(key, [], c.get('identity').kind, preconditionOf(c)))
        return c.body(null, 204)
      },
    )

const setOf = (id: string, resource: string): LimitSetKey => ({ owner: { kind: 'entity', id }, resource })

const effectiveLimitsJson = async ({ limiter, clock }: Needs, entityId: string, resource: string) => {
  const limits = await limiter.explain(entityId, resource)
  const now = clock.now()
  return { entity_id: entityId, resource, limits: limits.map((limit) => effectiveLimitJson(limit, now)) }
}

const explanationJson = async (
  { limiter, clock, models }: Needs,
  entityId: string,
  resource: string,
  names: Names,
) => {
  const limits = await limiter.explain(entityId, resource)
  const others = await limiter.explainOthers(entityId, resource, names)
  const buckets = [limits, ...others.map((bucket) => bucket.limits)]
  const hasBudget = buckets.some((each) => each.some(isBudget))
  const unpriced = hasBudget ? await unpricedModels(models, resource) : []
  const now = clock.now()
  const limitJson = (limit: ExplainedLimit) => ({
    ...explainedLimitJson(limit, now),
    ...(isBudget(limit) && unpriced.length > 0 && { unpriced_models: unpriced }),
  })
  return {
    entity_id: entityId,
    resource,
    limits: limits.map(limitJson),
    // the buckets that are charged beside the entity's own
    also_enforced: others.map((bucket) => ({
      entity_id: bucket.entityId,
      resource: bucket.resource,
      limits: bucket.limits.map(limitJson),
    })),
  }
}

const isBudget = ({ limit }: ExplainedLimit): boolean => limit.meter === 'cost_usd_micros'

/** An explanation lists no more of them. */
const MOST_UNPRICED = 100

/** The registered models without prices that a request for the resource may name. */
const unpricedModels = async (models: Needs['models'], resource: string): Promise<readonly string[]> => {
  const isNamed = (id: string): boolean =>
    resource === DEFAULT_RESOURCE || resource === TOTAL_RESOURCE || resource === id
  const unpriced = (await models.list()).filter(({ id, prices }) => prices === null && isNamed(id))
  return unpriced.map(({ id }) => id).slice(0, MOST_UNPRICED)
}

/** The used share of a limit, in percent with one decimal. */
export const utilizationPercent = ({ used, capacity }: Pick<LimitState, 'used' | 'capacity'>): number =>
  Math.round(usedShare({ used, capacity }) * 1000) / 10

/** The availability of a bucket. */
export const availabilityJson = (
  entityId: string,
  { resource, limits }: Pick<BucketStatus, 'resource' | 'limits'>,
) => ({
  entity_id: entityId,
  resource,
  limits: limits.map((state) => ({
    name: state.limit.name,
    resource: state.resource,
    meter: shownMeter(state.limit.meter),
    algorithm: state.limit.size.algorithm,
    capacity: state.capacity,
    available: state.available,
    used: state.used,
    utilization_percent: utilizationPercent(state),
    reset_after_seconds: secondsOf(state.resetNs),
    source: state.source,
  })),
})

/**
 * The resource of a write, from its body or, as for reads and deletions, from its query. Throws `invalid_request` if they
 * differ.
 */
export const oneResource = (
  inBody: string | undefined,
  { resource: inQuery }: { readonly resource?: string },
): string | undefined => {
  if (inBody !== undefined && inQuery !== undefined && inBody !== inQuery)
    throw invalid('resource', 'be the same in the body and in the query')
  return inBody ?? inQuery
}
