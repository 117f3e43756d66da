import * as v from 'valibot'
import { momentQuery, resource, seconds } from './fields.ts'

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
  ),
})
