import * as v from 'valibot'
import { HOUR_SECONDS } from '../core/model/time.ts'
import { costBody, integer, seconds } from './fields.ts'

export const DEFAULT_LIFETIME_SECONDS = 600

const LONGEST_LIFETIME_SECONDS = HOUR_SECONDS

export const lifetime = v.pipe(
  integer(1, LONGEST_LIFETIME_SECONDS, `be a whole number of seconds from 1 to ${LONGEST_LIFETIME_SECONDS}`),
  v.description(`How long the reservation stays open, in seconds; default ${DEFAULT_LIFETIME_SECONDS}`),
)

const reservationId = v.string()

export const settleBody = v.strictObject({
  reservation_id: reservationId,
  cost: v.pipe(costBody, v.description('The actual total per meter; an absent meter stays as reserved')),
})

export const releaseBody = v.strictObject({ reservation_id: reservationId })

export const extendBody = v.strictObject({
  reservation_id: reservationId,
  expires_in_seconds: v.exactOptional(lifetime),
})

export const settledResponse = v.object({
  reservation_id: v.string(),
  settled: v.pipe(v.boolean(), v.description('False: it had already ended, and nothing changed')),
  state: v.picklist(['settled', 'released', 'expired']),
})

export const extendedResponse = v.object({
  reservation_id: v.string(),
  extended: v.pipe(
    v.boolean(),
    v.description('False: it had already ended, or already expires later, and nothing changed'),
  ),
  state: v.picklist(['open', 'settled', 'released', 'expired']),
  expires_at: v.exactOptional(v.pipe(seconds, v.description('When it expires; present if it is open'))),
})

export const releasedResponse = v.object({
  reservation_id: v.string(),
  released: v.pipe(v.boolean(), v.description('False: it had already ended, and nothing changed')),
  state: v.picklist(['settled', 'released', 'expired']),
})
