import { Hono } from 'hono'
import type * as v from 'valibot'
import { epochSeconds } from '../../core/entity/entity-json.ts'
import { invalid } from '../../core/errors.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { DAY_SECONDS, HOUR_SECONDS, type UsageReader } from '../../core/usage/usage.ts'
import type { AppEnv } from '../app-dependencies.ts'
import { described } from '../schemas/described.ts'
import { idParam } from '../schemas/fields.ts'
import { usageAnswer, usageQuery } from '../schemas/record-schemas.ts'
import { params, query } from '../schemas/validated.ts'
import type { AdminServices } from './admin-services.ts'

type Needs = Pick<AdminServices, 'entities'> & { readonly usage: UsageReader; readonly clock: Clock }
type Period = Required<Pick<v.InferOutput<typeof usageQuery>, 'granularity' | 'from' | 'to'>>

/** The store keeps hours for so long. */
const KEPT_DAYS = 400
const DEFAULT_DAYS = { hour: 1, day: 30 } as const

export const createUsageRoutes = ({ entities, usage, clock }: Needs) =>
  new Hono<AppEnv>().get(
    '/:id',
    described({
      tag: 'Usage',
      summary: 'Show what was used, by hour or UTC day',
      description:
        'The last day, or the last 30 days, up to now unless told. Times are seconds since the epoch; the hour or day that `from` lies in shows as a whole.',
      answer: usageAnswer,
      errors: [400, 404],
    }),
    params(idParam),
    query(usageQuery),
    async (c) => {
      const { id } = c.req.valid('param')
      const { resource, ...asked } = c.req.valid('query')
      const period = periodOf(asked, epochSeconds(clock.now()))
      await entities.get(id)
      const points = await usage.usage({
        entityId: id,
        ...period,
        ...(resource !== undefined && { resource }),
      })
      return c.json({
        entity_id: id,
        points: points.map(({ start, resource, used, denied }) => ({ start, resource, ...used, denied })),
      })
    },
  )

/**
 * Whole hours or days: the one that `from` lies in shows, and the one that is under way. What lies before all that is
 * kept, or after now, holds nothing.
 */
const periodOf = (asked: Partial<Period>, now: number): Period => {
  const { granularity = 'hour' } = asked
  const unit = granularity === 'hour' ? HOUR_SECONDS : DAY_SECONDS
  const underWayUntil = (Math.floor(now / unit) + 1) * unit
  if (asked.from !== undefined && asked.to !== undefined && asked.from >= asked.to) {
    throw invalid('from', 'lie before to')
  }
  const to = Math.min(asked.to ?? underWayUntil, underWayUntil)
  const from = asked.from ?? to - DEFAULT_DAYS[granularity] * DAY_SECONDS
  const earliest = Math.max(0, to - KEPT_DAYS * DAY_SECONDS)
  return { granularity, from: Math.min(Math.max(Math.floor(from / unit) * unit, earliest), to), to }
}
