import { Hono } from 'hono'
import { idParam } from '../../contract/fields.ts'
import { usageQuery, usageResponse } from '../../contract/history.ts'
import { epochSeconds } from '../../core/model/json.ts'
import { type UsagePoint, type UsageReader, usagePeriod } from '../../core/model/usage.ts'
import type { Clock } from '../../core/ports/platform.ts'
import type { AdminServices, AppEnv } from '../app-dependencies.ts'
import { params, query } from '../body/validated.ts'
import { describeRoute } from '../openapi/described.ts'

type Needs = Pick<AdminServices, 'entities'> & { readonly usage: UsageReader; readonly clock: Clock }

export const createUsageRoutes = ({ entities, usage, clock }: Needs) =>
  new Hono<AppEnv>().get(
    '/:id',
    describeRoute({
      tag: 'Usage',
      summary: 'Show usage by hour or UTC day',
      description:
        'Default: the last day by hour, the last 30 days by day. Times are seconds since the epoch; the hour or day that contains `from` is included as a whole.',
      response: usageResponse,
      errors: [400, 404],
    }),
    params(idParam),
    query(usageQuery),
    async (c) => {
      const { id } = c.req.valid('param')
      const { resource, ...asked } = c.req.valid('query')
      const period = usagePeriod(asked, epochSeconds(clock.now()))
      await entities.get(id)
      const points = await usage.usage({
        entityId: id,
        ...period,
        ...(resource !== undefined && { resource }),
      })
      return c.json(usageJson(id, points))
    },
  )

export const usageJson = (entityId: string, points: readonly UsagePoint[]) => ({
  entity_id: entityId,
  points: points.map(({ start, resource, used, denied }) => ({ start, resource, ...used, denied })),
})
