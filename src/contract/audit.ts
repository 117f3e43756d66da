import * as v from 'valibot'
import { id, momentQuery, nextCursor, pageQuery } from './fields.ts'

export const auditQuery = v.object({
  ...pageQuery.entries,
  entity_id: v.exactOptional(id),
  from: v.exactOptional(momentQuery),
})

export const auditResponse = v.object({
  items: v.array(
    v.object({
      at: v.pipe(v.number(), v.description('Seconds since the epoch, to the millisecond')),
      actor: v.string(),
      action: v.string(),
      subject: v.string(),
      before: v.any(),
      after: v.any(),
    }),
  ),
  next_cursor: nextCursor,
})
