import * as v from 'valibot'
import { CALENDAR_UNITS } from '../core/model/calendar.ts'
import {
  DEFAULT_SLOTS,
  LIMIT_MODES,
  MAX_LEASE_SECONDS,
  MAX_LIMITS,
  MAX_SLOTS,
  MIN_LEASE_SECONDS,
  MIN_SHARE,
} from '../core/model/limit.ts'
import { METERS } from '../core/model/meter.ts'
import { ALGORITHM_NAMES, LONGEST_SECONDS, PERIOD_NAMES } from '../core/model/parse-size.ts'
import { checkedElsewhere } from './containers.ts'
import { id, resource } from './fields.ts'

const size = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER))

const capacity = v.pipe(size, v.description('Tokens the bucket holds; 0: paused'))

const refillRate = v.pipe(
  v.number(),
  v.minValue(0),
  v.maxValue(1e9),
  v.description('Tokens refilled per second; 0 with a capacity of 0 only'),
)

const limitName = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,31}$/))

const windowLimit = v.pipe(size, v.description('The most in any one window; 0: paused'))

const share = v.union([v.literal(0), v.pipe(v.number(), v.minValue(MIN_SHARE), v.ltValue(1))])

const tokenBucketFields = {
  algorithm: v.exactOptional(v.literal('token_bucket')),
  capacity,
  refill_rate: refillRate,
}

const perPeriodFields = {
  algorithm: v.exactOptional(v.literal('token_bucket')),
  limit: v.pipe(size, v.description('Capacity of a token bucket that refills within the period; 0: paused')),
  per: v.picklist(PERIOD_NAMES),
}

const slidingWindowFields = {
  algorithm: v.literal('sliding_window'),
  limit: windowLimit,
  window_seconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LONGEST_SECONDS)),
  slots: v.exactOptional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(2),
      v.maxValue(MAX_SLOTS),
      v.description(`Steps in which the window moves on; ${DEFAULT_SLOTS} unless told`),
    ),
  ),
  capacity: v.exactOptional(windowLimit),
}

const fixedWindowFields = {
  algorithm: v.literal('fixed_window'),
  limit: windowLimit,
  window: v.picklist(CALENDAR_UNITS),
  time_zone: v.exactOptional(
    v.pipe(v.string(), v.description('UTC unless told; a name such as Europe/Berlin')),
  ),
  capacity: v.exactOptional(windowLimit),
}

const commonFields = {
  name: limitName,
  meter: v.exactOptional(v.picklist(METERS)),
  mode: v.exactOptional(
    v.pipe(v.picklist(LIMIT_MODES), v.description('warn and shadow limits report and never deny')),
  ),
  warn_at: v.exactOptional(
    v.pipe(
      v.number(),
      v.minValue(MIN_SHARE),
      v.maxValue(1),
      v.description('Share in use that is worth a warning; 0.8'),
    ),
  ),
  refund: v.exactOptional(v.picklist(['strict', 'full'])),
  on_unavailable: v.exactOptional(v.picklist(['allow', 'deny', 'local'])),
  headroom: v.exactOptional(
    v.pipe(
      v.strictObject({ normal: v.exactOptional(share), low: v.exactOptional(share) }),
      v.description('Share of the capacity that callers of this priority leave to others'),
    ),
  ),
  lease_ttl_seconds: v.exactOptional(
    v.pipe(
      v.union([
        v.literal(0),
        v.pipe(v.number(), v.minValue(MIN_LEASE_SECONDS), v.maxValue(MAX_LEASE_SECONDS)),
      ]),
      v.description("How long tokens may be charged ahead; 0: every decision is the table's"),
    ),
  ),
}

const limitInput = v.pipe(
  v.union([
    v.strictObject({ ...commonFields, ...tokenBucketFields }),
    v.strictObject({ ...commonFields, ...perPeriodFields }),
    v.strictObject({ ...commonFields, ...slidingWindowFields }),
    v.strictObject({ ...commonFields, ...fixedWindowFields }),
  ]),
  v.metadata({ ref: 'LimitInput' }),
  v.description(
    'Without a meter, tpm, tph and tpd count tokens, itpm input tokens, otpm output tokens; any other name counts requests',
  ),
)

/** What the core's `parseLimits` checks. */
const limitInputs = checkedElsewhere(v.pipe(v.array(limitInput), v.maxLength(MAX_LIMITS)))

/** A limit in an answer. */
export const limitResponse = v.pipe(
  v.object({
    ...commonFields,
    meter: v.picklist(METERS),
    algorithm: v.picklist(ALGORITHM_NAMES),
    capacity,
    refill_rate: v.exactOptional(refillRate),
    limit: v.exactOptional(windowLimit),
    window_seconds: v.exactOptional(slidingWindowFields.window_seconds),
    slots: slidingWindowFields.slots,
    window: v.exactOptional(fixedWindowFields.window),
    time_zone: fixedWindowFields.time_zone,
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

export const limitsResponse = v.object({
  entity_id: v.string(),
  resource: v.string(),
  limits: v.array(limitResponse),
})

export const defaultsResponse = v.object({
  role: v.nullable(v.string()),
  resource: v.string(),
  limits: v.array(limitResponse),
  inherited: v.pipe(v.array(limitResponse), v.description('What would hold if nothing were set here')),
})

const explainedLimits = v.array(
  v.object({ name: v.string(), winner: limitResponse, overrides: v.array(limitResponse) }),
)

export const explainResponse = v.object({
  entity_id: v.string(),
  resource: v.string(),
  limits: explainedLimits,
  also_enforced: v.pipe(
    v.array(v.object({ entity_id: v.string(), resource: v.string(), limits: explainedLimits })),
    v.description('What a request meets beside these: _total_, parents, policies that go by no user'),
  ),
})

const bucketPart = { resource: v.exactOptional(resource), limit_name: v.exactOptional(limitName) }

const amount = v.pipe(
  v.number('be a positive integer'),
  v.integer('be a positive integer'),
  v.minValue(1, 'be a positive integer'),
  v.maxValue(Number.MAX_SAFE_INTEGER, `be a positive integer of at most ${Number.MAX_SAFE_INTEGER}`),
)

export const resetBody = v.strictObject(bucketPart)

export const topUpBody = v.strictObject({ ...bucketPart, amount: v.exactOptional(amount) })
