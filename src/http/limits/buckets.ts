import { Hono } from 'hono'
import { availabilityResponse } from '../../contract/dashboard.ts'
import { idParam, resourceQuery } from '../../contract/fields.ts'
import { resetBody, topUpBody } from '../../contract/limits.ts'
import type { Limiter } from '../../core/decide/limiter.ts'
import type { AdminServices, AppEnv } from '../app-dependencies.ts'
import { optionalJsonBody, params, query } from '../body/validated.ts'
import { describeRoute } from '../openapi/described.ts'
import { availabilityJson, oneResource } from './limits.ts'

const tag = 'Limits'

type Needs = Pick<AdminServices, 'buckets'> & { readonly limiter: Limiter }

/** Resets and top-ups of buckets; both respond with the state of the bucket afterwards. */
export const createBucketRoutes = ({ limiter, buckets }: Needs) =>
  new Hono<AppEnv>()
    .post(
      '/:id/reset',
      describeRoute({
        tag,
        summary: 'Refill buckets',
        response: availabilityResponse,
        errors: [400, 404, 409],
      }),
      params(idParam),
      query(resourceQuery),
      optionalJsonBody(resetBody),
      async (c) => {
        const { id } = c.req.valid('param')
        const { resource: named, limit_name } = c.req.valid('json')
        const resource = oneResource(named, c.req.valid('query'))
        await buckets.reset(id, bucketPart(resource, limit_name), c.get('identity').kind)
        return c.json(availabilityJson(id, await limiter.status(id, resource)))
      },
    )
    .post(
      '/:id/top-up',
      describeRoute({
        tag,
        summary: 'Add tokens once',
        response: availabilityResponse,
        errors: [400, 404, 409],
      }),
      params(idParam),
      query(resourceQuery),
      optionalJsonBody(topUpBody),
      async (c) => {
        const { id } = c.req.valid('param')
        const { resource: named, limit_name, amount } = c.req.valid('json')
        const resource = oneResource(named, c.req.valid('query'))
        const selection = { ...bucketPart(resource, limit_name), ...(amount !== undefined && { amount }) }
        await buckets.topUp(id, selection, c.get('identity').kind)
        return c.json(availabilityJson(id, await limiter.status(id, resource)))
      },
    )

const bucketPart = (resource: string | undefined, limitName: string | undefined) => ({
  ...(resource !== undefined && { resource }),
  ...(limitName !== undefined && { limitName }),
})
