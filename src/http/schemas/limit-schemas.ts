import * as v from 'valibot'
import { MAX_LIMITS } from '../../core/limit/limit.ts'
import { METERS } from '../../core/limit/meter.ts'
import { checkedElsewhere } from './checked-elsewhere.ts'
import { id, resource } from './fields.ts'

const capacity = v.pipe(v.number(), v.integer(), v.minValue(1), v.description('Tokens the bucket holds'))
const refillRate = v.pipe(v.number(), v.gtValue(0), v.description('Tokens refilled per second'))
const limitName = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,31}$/))

const limitFields = {
  name: limitName,
  meter: v.exactOptional(v.picklist(METERS)),
  algorithm: v.exactOptional(v.picklist(['token_bucket'])),
  capacity,
  refill_rate: refillRate,
  refund: v.exactOptional(v.picklist(['strict', 'full'])),
  on_unavailable: v.exactOptional(v.picklist(['allow', 'deny', 'local'])),
}

const limitInput = v.pipe(
  v.strictObject(limitFields),
  v.metadata({ ref: 'LimitInput' }),
  v.description('The meter may be left out where the name is a usual one: rpm, tpm, itpm, otpm, …'),
)

/** What the core's `parseLimits` checks. */
const limitInputs = checkedElsewhere(v.pipe(v.array(limitInput), v.maxLength(MAX_LIMITS)))

/** A limit in an answer. */
export const limitAnswer = v.pipe(
  v.object({
    ...limitFields,
    meter: v.picklist(METERS),
    algorithm: v.string(),
    source: v.pipe(
      v.string(),
      v.description('Where it was set: entity:gpt-4, role:user:_default_, system:_default_, environment, …'),
    ),
  }),
  v.metadata({ ref: 'Limit' }),
)

export const limitsBody = v.strictObject({ resource: v.exactOptional(resource), limits: limitInputs })
export const defaultsBody = v.strictObject({ limits: limitInputs })
export const defaultsQuery = v.object({ resource: v.exactOptional(resource), role: v.exactOptional(id) })

export const limitsAnswer = v.object({
  entity_id: v.string(),
  resource: v.string(),
  limits: v.array(limitAnswer),
})
export const defaultsAnswer = v.object({
  role: v.nullable(v.string()),
  resource: v.string(),
  limits: v.array(limitAnswer),
})

export const explainAnswer = v.object({
  entity_id: v.string(),
  resource: v.string(),
  limits: v.array(v.object({ name: v.string(), winner: limitAnswer, overrides: v.array(limitAnswer) })),
})

const bucketPart = { resource: v.exactOptional(resource), limit_name: v.exactOptional(limitName) }
const amount = v.pipe(
  v.number('be a positive integer'),
  v.integer('be a positive integer'),
  v.minValue(1, 'be a positive integer'),
)

export const resetBody = v.strictObject(bucketPart)
export const topUpBody = v.strictObject({ ...bucketPart, amount: v.exactOptional(amount) })
