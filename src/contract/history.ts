import * as v from 'valibot'
import { id, momentQuery, nextCursor, pageQuery, resource, seconds } from './fields.ts'

const amount = v.pipe(v.number(), v.integer())

export const usageQuery = v.object({
  resource: v.exactOptional(resource),
  granularity: v.exactOptional(v.picklist(['hour', 'day'])),
  from: v.exactOptional(momentQuery),
  to: v.exactOptional(momentQuery),
})

export const usageResponse = v.object({
  entity_id: v.string(),
  points: v.array(
    v.pipe(
      v.object({
        start: seconds,
        resource: v.string(),
        requests: amount,
        tokens: amount,
        input_tokens: amount,
        output_tokens: amount,
        cost_usd_micros: amount,
        denied: amount,
      }),
      v.metadata({ ref: 'UsagePoint' }),
    ),
  ),
})

export const auditQuery = v.object({
  ...pageQuery.entries,
  entity_id: v.exactOptional(id),
  from: v.exactOptional(momentQuery),
})

export const auditResponse = v.object({
  items: v.array(
    v.pipe(
      v.object({
        at: v.pipe(v.number(), v.description('Seconds since the epoch, to the millisecond')),
        actor: v.string(),
        action: v.string(),
        subject: v.string(),
        before: v.any(),
        after: v.any(),
      }),
      v.metadata({ ref: 'Change' }),
    ),
  ),
  next_cursor: nextCursor,
})
