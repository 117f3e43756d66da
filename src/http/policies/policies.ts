import { Hono } from 'hono'
import { DEFAULT_PER_PAGE, pageQuery } from '../../contract/fields.ts'
import { defaultsBody } from '../../contract/limits.ts'
import { policiesResponse, policyParams, policyResponse } from '../../contract/policies.ts'
import type { PolicyService } from '../../core/admin/policies.ts'
import { type Policy, policyLimitSet } from '../../core/model/limit-set.ts'
import { policyLabel, selectorText, userModelOf } from '../../core/model/policy.ts'
import { layerOf } from '../../core/resolve/layers.ts'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'
import { jsonBody, params, query } from '../body/validated.ts'
import { preconditionOf, setEtag } from '../etag.ts'
import { effectiveLimitJson } from '../limits/limit-json.ts'
import { describeRoute } from '../openapi/described.ts'

const tag = 'Policies'

/** A selector of USER_MODEL contains a `/`, and the id of a model may. */
const PATH = '/:scope/:selector{.+}'

interface Needs {
  readonly policies: PolicyService
  readonly clock: AppDependencies['clock']
}

export const createPolicyRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .route('/', createReadRoutes(needs))
    .route('/', createWriteRoutes(needs))
    .route('/', createResetRoute(needs))

const createReadRoutes = ({ policies, clock }: Needs) =>
  new Hono<AppEnv>()
    .get(
      '/',
      describeRoute({ tag, summary: 'List policies', response: policiesResponse, errors: [400] }),
      query(pageQuery),
      async (c) => {
        const { limit = DEFAULT_PER_PAGE, cursor } = c.req.valid('query')
        const { items, nextCursor } = await policies.list({ limit, ...(cursor !== undefined && { cursor }) })
        const now = clock.now()
        return c.json({ items: items.map((policy) => policyJson(policy, now)), next_cursor: nextCursor })
      },
    )
    .get(
      PATH,
      describeRoute({
        tag,
        summary: 'Show a policy',
        response: policyResponse,
        etag: 'shown',
        errors: [400, 404],
      }),
      params(policyParams, {}),
      async (c) => {
        const policy = await policies.get(c.req.valid('param'))
        setEtag(c, policy.version)
        return c.json(policyJson(policy, clock.now()))
      },
    )

const createResetRoute = ({ policies, clock }: Needs) =>
  new Hono<AppEnv>().post(
    `${PATH}/reset`,
    describeRoute({
      tag,
      summary: 'Refill the limits of a policy',
      description: 'All charges to it are dropped; earlier reservations refund nothing to it.',
      response: policyResponse,
      errors: [400, 404, 409],
    }),
    params(policyParams, {}),
    async (c) => {
      const key = c.req.valid('param')
      return c.json(policyJson(await policies.reset(key, c.get('identity').kind), clock.now()))
    },
  )

const createWriteRoutes = ({ policies, clock }: Needs) =>
  new Hono<AppEnv>()
    .put(
      PATH,
      describeRoute({
        tag,
        summary: 'Set the limits of a policy',
        description: 'All requests to which it applies share them, for all resources. 201 if it is new.',
        otherStatus: 201,
        response: policyResponse,
        etag: 'compared',
        errors: [400, 409],
      }),
      params(policyParams, {}),
      jsonBody(defaultsBody),
      async (c) => {
        const key = c.req.valid('param')
        const { limits } = c.req.valid('json')
        const actor = c.get('identity').kind
        const { policy, created } = await policies.put(key, limits, actor, preconditionOf(c))
        setEtag(c, policy.version)
        return c.json(policyJson(policy, clock.now()), created ? 201 : 200)
      },
    )
    .delete(
      PATH,
      describeRoute({
        tag,
        summary: 'Remove a policy',
        description: 'Also removes its charges: a policy that is created again begins full.',
        status: 204,
        etag: 'compared',
        errors: [400, 404, 409],
      }),
      params(policyParams, {}),
      async (c) => {
        const key = c.req.valid('param')
        setEtag(c, await policies.remove(key, c.get('identity').kind, preconditionOf(c)))
        return c.body(null, 204)
      },
    )

const policyJson = ({ key, limits }: Policy, now: bigint) => {
  const { source } = layerOf(policyLimitSet(key), undefined)
  return {
    label: policyLabel(key),
    scope: key.scope,
    selector: selectorText(key),
    ...userModelOf(key),
    limits: limits.map((limit) => effectiveLimitJson({ limit, source }, now)),
  }
}
