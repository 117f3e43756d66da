import * as v from 'valibot'
import { openAiErrorBody } from '../chat/chat-schema.ts'
import { boundedList } from '../schemas/bounded-list.ts'
import { chargedResource, id, modelId, seconds } from '../schemas/fields.ts'
import { noList } from '../schemas/no-list.ts'

/** As many checks as one request may hold. */
export const MOST_CHECKS = 25
export const DEFAULT_LIFETIME_SECONDS = 600
const LONGEST_LIFETIME_SECONDS = 3600
const LONGEST_KEY = 255
const LONGEST_USER = 256

const AMOUNT = 'be a whole number of at least 0'
const amount = v.pipe(
  v.number(AMOUNT),
  v.integer(AMOUNT),
  v.minValue(0, AMOUNT),
  v.maxValue(Number.MAX_SAFE_INTEGER, AMOUNT),
)

const costBody = noList(
  v.strictObject({
    requests: v.exactOptional(amount),
    tokens: v.exactOptional(v.pipe(amount, v.description('input + output, where only those are given'))),
    input_tokens: v.exactOptional(amount),
    output_tokens: v.exactOptional(amount),
    cost_usd_micros: v.exactOptional(amount),
  }),
)

const LIFETIME = `be a whole number of seconds from 1 to ${LONGEST_LIFETIME_SECONDS}`
const lifetime = v.pipe(
  v.number(LIFETIME),
  v.integer(LIFETIME),
  v.minValue(1, LIFETIME),
  v.maxValue(LONGEST_LIFETIME_SECONDS, LIFETIME),
  v.description(`How long the reservation can be settled; ${DEFAULT_LIFETIME_SECONDS} unless told`),
)

const contextBody = noList(
  v.strictObject({
    tenant: v.exactOptional(id),
    model: v.exactOptional(modelId),
    tier: v.exactOptional(id),
  }),
)

export const checkBody = v.pipe(
  noList(
    v.strictObject({
      resource: v.exactOptional(
        v.pipe(chargedResource, v.description('The bucket `_default_` itself, where none is named')),
      ),
      cost: v.exactOptional(
        v.pipe(costBody, v.description('Taken literally; one request, where none is given')),
      ),
      user: v.exactOptional(v.pipe(v.string(), v.nonEmpty('not be empty'), v.maxLength(LONGEST_USER))),
      context: v.exactOptional(
        v.pipe(contextBody, v.description('What policies go by instead of what is known; admins only')),
      ),
      dry_run: v.exactOptional(v.pipe(v.boolean(), v.description('Nothing is charged, nothing counted'))),
      reserve: v.exactOptional(v.pipe(v.boolean(), v.description('What is charged will be settled'))),
      expires_in_seconds: v.exactOptional(lifetime),
      idempotency_key: v.exactOptional(
        v.pipe(
          v.string(),
          v.nonEmpty('not be empty'),
          v.maxLength(LONGEST_KEY),
          v.description(
            'The same body under the same key gets the same answer for 24 hours, once it is allowed; a denial is not kept',
          ),
        ),
      ),
    }),
  ),
  v.metadata({ ref: 'LimitCheck' }),
)

const COUNT = `hold 1 to ${MOST_CHECKS} checks`
export const checksBody = boundedList(checkBody, { least: 1, most: MOST_CHECKS, must: COUNT })

const reservationId = v.string()
export const settleBody = v.strictObject({
  reservation_id: reservationId,
  cost: v.pipe(costBody, v.description('What was really used, in total; a meter left out stays as reserved')),
})
export const releaseBody = v.strictObject({ reservation_id: reservationId })
export const extendBody = v.strictObject({
  reservation_id: reservationId,
  expires_in_seconds: v.exactOptional(lifetime),
})

const wait = v.pipe(v.nullable(v.number()), v.description('0: it passes now; null: it can never pass'))

const limitState = v.object({
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

const violation = v.object({
  limit_name: v.string(),
  entity_id: v.string(),
  resource: v.string(),
  available: v.number(),
  requested: v.number(),
  capacity: v.number(),
  retry_after_seconds: wait,
})

const decision = {
  allowed: v.boolean(),
  degraded: v.pipe(v.boolean(), v.description('A part of this was decided without the store')),
  retry_after_seconds: wait,
  limits: v.array(limitState),
  violations: v.array(violation),
}

export const allowedAnswer = v.pipe(
  v.object({
    ...decision,
    reservation_id: v.exactOptional(v.string()),
    expires_at: v.exactOptional(seconds),
  }),
  v.metadata({ ref: 'CheckAllowed' }),
)

export const deniedAnswer = v.pipe(
  v.object({
    error: v.pipe(
      v.union([openAiErrorBody, v.string()]),
      v.description('An object; the code alone with ERROR_FORMAT=flat'),
    ),
    message: v.string(),
    ...decision,
  }),
  v.metadata({ ref: 'CheckDenied' }),
)

export const settledAnswer = v.object({
  reservation_id: v.string(),
  settled: v.pipe(v.boolean(), v.description('False: it had ended before, and nothing was changed')),
  state: v.picklist(['settled', 'released', 'expired']),
})

export const extendedAnswer = v.object({
  reservation_id: v.string(),
  extended: v.pipe(
    v.boolean(),
    v.description('False: it had ended before, or ends later already, and nothing was changed'),
  ),
  state: v.picklist(['open', 'settled', 'released', 'expired']),
  expires_at: v.exactOptional(v.pipe(seconds, v.description('When it ends, where it is open'))),
})

export const releasedAnswer = v.object({
  reservation_id: v.string(),
  released: v.pipe(v.boolean(), v.description('False: it had ended before, and nothing was changed')),
  state: v.picklist(['settled', 'released', 'expired']),
})
