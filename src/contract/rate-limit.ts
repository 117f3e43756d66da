import * as v from 'valibot'
import { DAY_SECONDS } from '../core/model/time.ts'
import { integer } from './fields.ts'

const count = integer(
  0,
  Number.MAX_SAFE_INTEGER,
  `be an integer from 0 (paused) to ${Number.MAX_SAFE_INTEGER}`,
)

const LONGEST_WINDOW_SECONDS = 366 * DAY_SECONDS

const windowSeconds = integer(1, LONGEST_WINDOW_SECONDS)

export const configBody = v.pipe(
  v.strictObject({
    tpm_limit: v.exactOptional(v.pipe(count, v.description('Tokens per window'))),
    rpm_limit: v.exactOptional(v.pipe(count, v.description('Requests per window'))),
    window_seconds: v.exactOptional(windowSeconds),
    enabled: v.exactOptional(
      v.pipe(v.boolean(), v.description('False: requests are counted and not limited')),
    ),
  }),
  v.metadata({ ref: 'RateLimitConfigInput' }),
)

const config = v.pipe(
  v.object({
    tpm_limit: v.pipe(v.nullable(v.number()), v.description('null: there is no limit `tpm`')),
    rpm_limit: v.nullable(v.number()),
    window_seconds: v.pipe(
      v.nullable(v.number()),
      v.description('The window of the limit on requests, else of the limit on tokens'),
    ),
    enabled: v.boolean(),
  }),
  v.metadata({ ref: 'RateLimitConfig' }),
)

const level = v.pipe(
  v.nullable(
    v.object({
      limit: v.number(),
      used: v.number(),
      remaining: v.number(),
      reset_after_seconds: v.pipe(v.number(), v.description('The time until it is full again')),
    }),
  ),
  v.description('null: not limited'),
)

export const rateLimitStatusResponse = v.pipe(
  v.object({
    api_key: v.pipe(v.string(), v.description('The first 8 characters of the id, then "..."')),
    status: v.object({
      resource: v.pipe(v.string(), v.description('The bucket with the least available share')),
      requests: level,
      tokens: level,
    }),
    config,
  }),
  v.metadata({ ref: 'RateLimitStatus' }),
)

export const rateLimitStatsResponse = v.pipe(
  v.object({
    total_tracked_keys: v.pipe(v.number(), v.description('Entities with any usage')),
    total_configured_keys: v.pipe(v.number(), v.description('Entities with own limits')),
    active_keys: v.pipe(v.number(), v.description('Entities with a limit that is partly used now')),
    default_config: config,
  }),
  v.metadata({ ref: 'RateLimitStats' }),
)
