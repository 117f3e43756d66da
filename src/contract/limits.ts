import * as v from 'valibot'
import type { Limit } from '../core/model/limit.ts'
import { METERS } from '../core/model/meter.ts'
import { id, resource } from './fields.ts'
import { commonFields, limitName, size } from './limit-fields.ts'
import { limitList, sizeResponse } from './limit-sizes.ts'
import { parseAt } from './parse.ts'
import { scheduleResponse, scheduleStateResponse } from './schedule.ts'

/**
 * Limits from untrusted JSON (`{name, meter?, capacity, refill_rate, …}`), as stored items and apps state them. Throws
 * `ZaelError('invalid_request')` that names the field (`limits[0].capacity`) and what it must be.
 */
export const parseLimits = (input: unknown, field: string): readonly Limit[] =>
  parseAt(limitList, input, field)

/** A limit in a response. */
export const limitResponse = v.pipe(
  v.object({
    ...commonFields,
    meter: v.picklist(METERS),
    ...sizeResponse,
    capacity: v.pipe(size, v.description('Tokens the bucket holds; 0: paused')),
    schedule: v.exactOptional(scheduleResponse),
    schedule_state: v.exactOptional(scheduleStateResponse),
    source: v.pipe(
      v.string(),
      v.description('Where it was set: entity:gpt-4, role:user:_default_, system:_default_, environment, …'),
    ),
  }),
  v.metadata({ ref: 'Limit' }),
)

export const limitsBody = v.strictObject({ resource: v.exactOptional(resource), limits: limitList })

export const defaultsBody = v.strictObject({ limits: limitList })

export const defaultsQuery = v.object({ resource: v.exactOptional(resource), role: v.exactOptional(id) })

export const limitsResponse = v.object({
  entity_id: v.string(),
  resource: v.string(),
  limits: v.array(limitResponse),
})

export const defaultsResponse = v.object({
  role: v.nullable(v.string()),
  resource: v.string(),
  limits: v.array(limitResponse),
  inherited: v.pipe(
    v.array(limitResponse),
    v.description('The limits that would apply if none were set here'),
  ),
})

const explainedLimits = v.array(
  v.pipe(
    v.object({
      name: v.string(),
      winner: limitResponse,
      overrides: v.array(limitResponse),
      unpriced_models: v.exactOptional(
        v.pipe(
          v.array(v.string()),
          v.description(
            'Of a budget: registered models without prices that requests for the resource may name. It does not apply to them',
          ),
        ),
      ),
    }),
    v.metadata({ ref: 'ExplainedLimit' }),
  ),
)

export const explainResponse = v.object({
  entity_id: v.string(),
  resource: v.string(),
  limits: explainedLimits,
  also_enforced: v.pipe(
    v.array(v.object({ entity_id: v.string(), resource: v.string(), limits: explainedLimits })),
    v.description(
      'Other buckets that a request charges: _total_, parents, policies. Without `user` or `session`, those of a request that names none',
    ),
  ),
})

const bucketPart = { resource: v.exactOptional(resource), limit_name: v.exactOptional(limitName) }

const AMOUNT = 'be a positive integer'

const amount = v.pipe(
  v.number(AMOUNT),
  v.integer(AMOUNT),
  v.minValue(1, AMOUNT),
  v.maxValue(Number.MAX_SAFE_INTEGER, `${AMOUNT} of at most ${Number.MAX_SAFE_INTEGER}`),
)

export const resetBody = v.strictObject(bucketPart)

export const topUpBody = v.strictObject({ ...bucketPart, amount: v.exactOptional(amount) })
