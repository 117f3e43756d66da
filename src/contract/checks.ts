import * as v from 'valibot'
import { HOUR_SECONDS } from '../core/model/time.ts'
import { acceptedByHand, boundedList, closedObject } from './containers.ts'
import { openAiError, violation, wait } from './errors.ts'
import {
  chargedResource,
  costBody,
  id,
  integer,
  modelId,
  requestName,
  requestQuery,
  seconds,
} from './fields.ts'
import { isUsualCheck } from './usual-bodies.ts'

export const DEFAULT_LIFETIME_SECONDS = 600

const LONGEST_LIFETIME_SECONDS = HOUR_SECONDS

/** How long a reservation stays open. */
export const lifetime = v.pipe(
  integer(1, LONGEST_LIFETIME_SECONDS, `be a whole number of seconds from 1 to ${LONGEST_LIFETIME_SECONDS}`),
  v.description(`How long the reservation stays open, in seconds; default ${DEFAULT_LIFETIME_SECONDS}`),
)

/** The most checks in one request. */
export const MOST_CHECKS = 25

const LONGEST_KEY = 255

const contextBody = v.pipe(
  closedObject({
    tenant: v.exactOptional(id),
    model: v.exactOptional(modelId),
    tier: v.exactOptional(id),
  }),
  v.metadata({ ref: 'CheckContext' }),
)

export const checkSchema = v.pipe(
  closedObject({
    resource: v.exactOptional(
      v.pipe(chargedResource, v.description('Default: the bucket `_default_` itself')),
    ),
    cost: v.exactOptional(v.pipe(costBody, v.description('Charged exactly as sent; default: one request'))),
    user: v.exactOptional(
      v.pipe(requestName, v.description('The user of the key: selects USER and USER_MODEL policies')),
    ),
    session: v.exactOptional(v.pipe(requestName, v.description('The session: selects SESSION policies'))),
    context: v.exactOptional(
      v.pipe(
        contextBody,
        v.description(
          'Properties that select policies in place of those of the entity and the resource; admins only',
        ),
      ),
    ),
    dry_run: v.exactOptional(v.pipe(v.boolean(), v.description('True: nothing is charged or counted'))),
    reserve: v.exactOptional(v.pipe(v.boolean(), v.description('True: the charge is kept for a settlement'))),
    expires_in_seconds: v.exactOptional(lifetime),
    idempotency_key: v.exactOptional(
      v.pipe(
        v.string(),
        v.nonEmpty('not be empty'),
        v.maxLength(LONGEST_KEY),
        v.description(
          'The response to an allowed check is kept for 24 hours and returned again for the same key and body; a denial is not kept',
        ),
      ),
    ),
  }),
  v.metadata({ ref: 'LimitCheck' }),
)

export const checkBody = acceptedByHand(checkSchema, isUsualCheck)

const COUNT = `contain 1 to ${MOST_CHECKS} checks`

export const checksBody = boundedList(checkBody, { least: 1, most: MOST_CHECKS, must: COUNT })

const limitFields = v.object({
  entity_id: v.string(),
  resource: v.string(),
  limit_name: v.string(),
  algorithm: v.string(),
  capacity: v.number(),
  available: v.number(),
  used: v.number(),
  reset_after_seconds: v.number(),
  source: v.string(),
})

const limitState = v.pipe(limitFields, v.metadata({ ref: 'LimitState' }))

/** `/v1/limits`: as a check, of a user and a session. */
export const ownLimitsQuery = v.object({
  ...requestQuery.entries,
  resource: v.exactOptional(v.pipe(chargedResource, v.description('Default: the bucket `_default_` itself'))),
})

export const ownLimitsResponse = v.pipe(
  v.object({
    entity_id: v.string(),
    resource: v.string(),
    limits: v.array(
      v.pipe(
        v.object({
          ...limitFields.entries,
          meter: v.exactOptional(
            v.pipe(v.literal('cost_usd_micros'), v.description('Only of money: amounts are micro-dollars')),
          ),
        }),
        v.metadata({ ref: 'OwnLimit' }),
      ),
    ),
  }),
  v.metadata({ ref: 'OwnLimits' }),
)

const decision = {
  allowed: v.boolean(),
  degraded: v.pipe(v.boolean(), v.description('True: a part of this was decided without the store')),
  retry_after_seconds: wait,
  limits: v.array(limitState),
  violations: v.array(violation),
}

export const allowedResponse = v.pipe(
  v.object({
    ...decision,
    reservation_id: v.exactOptional(v.string()),
    expires_at: v.exactOptional(seconds),
  }),
  v.metadata({ ref: 'CheckAllowed' }),
)

export const deniedResponse = v.pipe(
  v.object({
    error: v.pipe(
      v.union([openAiError, v.string()]),
      v.description('An object; with ERROR_FORMAT=flat, only the code'),
    ),
    message: v.string(),
    ...decision,
  }),
  v.metadata({ ref: 'CheckDenied' }),
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
