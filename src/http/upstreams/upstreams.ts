import { Hono } from 'hono'
import {
  upstreamBody,
  upstreamDraftOf,
  upstreamParam,
  upstreamResponse,
  upstreamsResponse,
} from '../../contract/upstreams.ts'
import { epochSeconds, epochSecondsOrNull, upstreamToJson } from '../../core/model/json.ts'
import type { Upstream } from '../../core/model/upstream.ts'
import type { UpstreamState, UpstreamStates } from '../../core/ports/upstreams.ts'
import type { AdminServices, AppEnv } from '../app-dependencies.ts'
import { jsonBody, params } from '../body/validated.ts'
import { preconditionOf, setEtag } from '../etag.ts'
import { describeRoute } from '../openapi/described.ts'

const tag = 'Upstreams'

const routes = {
  list: describeRoute({
    tag,
    summary: 'List upstreams',
    description: 'With the state of each in the process that responds.',
    response: upstreamsResponse,
  }),
  get: describeRoute({
    tag,
    summary: 'Get an upstream',
    response: upstreamResponse,
    etag: 'shown',
    errors: [400, 404],
  }),
  put: describeRoute({
    tag,
    summary: 'Add an upstream, or replace it',
    description:
      '201 if it is new. Fields that are not given take their defaults. The secret must be readable by the process that responds.',
    otherStatus: 201,
    response: upstreamResponse,
    etag: 'compared',
    errors: [400, 409],
  }),
  remove: describeRoute({
    tag,
    summary: 'Remove an upstream',
    description: '409 while a model names it.',
    status: 204,
    etag: 'condition',
    errors: [400, 404, 409],
  }),
}

export interface UpstreamRoutesNeeds extends Pick<AdminServices, 'upstreams'> {
  readonly upstreamStates: UpstreamStates
  readonly environmentUpstream: Upstream | null
}

export const createUpstreamRoutes = (needs: UpstreamRoutesNeeds) => {
  const { upstreams, upstreamStates } = needs
  const jsonOf = (upstream: Upstream) => ({
    ...upstreamToJson(upstream),
    source: upstream === needs.environmentUpstream ? ('environment' as const) : ('table' as const),
    models: upstreamStates
      .upstreamStates()
      .filter((state) => state.upstream === upstream.name)
      .map(stateToJson),
  })
  return new Hono<AppEnv>()
    .get('/', routes.list, async (c) =>
      c.json({ items: (await upstreams.list()).map(jsonOf), next_cursor: null }),
    )
    .get('/:name', routes.get, params(upstreamParam, {}), async (c) => {
      const upstream = await upstreams.get(c.req.valid('param').name)
      setEtag(c, upstream.version)
      return c.json(jsonOf(upstream))
    })
    .put('/:name', routes.put, params(upstreamParam, {}), jsonBody(upstreamBody), async (c) => {
      const draft = upstreamDraftOf(c.req.valid('json'))
      const { name } = c.req.valid('param')
      const actor = c.get('identity').kind
      const { upstream, created } = await upstreams.put(name, draft, actor, preconditionOf(c))
      setEtag(c, upstream.version)
      return c.json(jsonOf(upstream), created ? 201 : 200)
    })
    .delete('/:name', routes.remove, params(upstreamParam, {}), async (c) => {
      await upstreams.remove(c.req.valid('param').name, c.get('identity').kind, preconditionOf(c))
      return c.body(null, 204)
    })
}

const stateToJson = ({ model, factor, restsUntil, lastFailure }: UpstreamState) => ({
  model,
  factor: Number(factor.toFixed(3)),
  resting: restsUntil !== null,
  rests_until: epochSecondsOrNull(restsUntil),
  last_failure: lastFailure && { cause: lastFailure.cause, at: epochSeconds(lastFailure.at) },
})
