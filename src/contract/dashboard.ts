import * as v from 'valibot'
import { nextCursor, resource, seconds, wholeNumber } from './fields.ts'

const tokens = v.pipe(v.number(), v.integer(), v.minValue(0))

const percent = v.pipe(v.number(), v.description('0 to 100, with one decimal'))

export const sessionResponse = v.pipe(
  v.object({
    role: v.pipe(v.picklist(['admin', 'viewer']), v.description('A viewer may read but not write')),
    streams: v.pipe(v.boolean(), v.description('False: the stream ends after one event; poll instead')),
    node_id: v.nullable(v.string()),
    version: v.string(),
    default_model: v.pipe(v.string(), v.description('The model of chats without `model`')),
  }),
  v.metadata({ ref: 'Session' }),
)

export const healthResponse = v.pipe(
  v.object({
    status: v.picklist(['ok', 'unavailable']),
    node_id: v.nullable(v.string()),
    version: v.string(),
    reason: v.exactOptional(v.pipe(v.string(), v.description('The reason why it is unavailable'))),
  }),
  v.metadata({ ref: 'Health' }),
)

export const healthQuery = v.object({
  deep: v.pipe(v.exactOptional(v.string()), v.description('1: also reads the table')),
})

export const dashboardEntity = v.pipe(
  v.object({
    entity_id: v.string(),
    name: v.string(),
    parent_id: v.nullable(v.string()),
    limits: v.array(
      v.object({
        name: v.string(),
        resource: v.string(),
        meter: v.exactOptional(
          v.pipe(
            v.literal('cost_usd_micros'),
            v.description('Only for money: `capacity` and `available` are micro-dollars'),
          ),
        ),
        capacity: tokens,
        available: tokens,
        utilization_percent: percent,
      }),
    ),
  }),
  v.metadata({ ref: 'DashboardEntity' }),
)

export const dashboardEntitiesResponse = v.object({
  entities: v.array(dashboardEntity),
  next_cursor: nextCursor,
})

/** The state of a limit of a bucket. */
export const availabilityLimit = v.object({
  name: v.string(),
  resource: v.string(),
  meter: v.string(),
  algorithm: v.string(),
  capacity: tokens,
  available: tokens,
  used: tokens,
  utilization_percent: percent,
  reset_after_seconds: v.number(),
  source: v.string(),
})

const bucketResponse = v.object({
  entity_id: v.string(),
  resource: v.string(),
  limits: v.array(availabilityLimit),
})

export const availabilityResponse = v.pipe(
  v.object({
    ...bucketResponse.entries,
    also_enforced: v.exactOptional(
      v.pipe(
        v.array(bucketResponse),
        v.description(
          'Other buckets that a request charges: `_total_`, parents, policies (`entity_id` `POLICY:<scope>:<selector>`). Only in `/api/dashboard/availability`',
        ),
      ),
    ),
  }),
  v.metadata({ ref: 'Availability' }),
)

const LARGEST_COST = 1_000_000_000_000

export const waitTimeQuery = v.object({
  resource: v.exactOptional(resource),
  rpm: v.exactOptional(wholeNumber(0, LARGEST_COST)),
  tpm: v.exactOptional(wholeNumber(0, LARGEST_COST)),
})

export const waitTimeResponse = v.object({
  entity_id: v.string(),
  wait_seconds: v.pipe(v.nullable(v.number()), v.description('null: the request can never pass')),
  limiting: v.pipe(v.nullable(v.string()), v.description('The limit with the longest wait')),
})

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

export const trafficQuery = v.object({
  granularity: v.exactOptional(v.picklist(['hour', 'day'])),
})

export const trafficResponse = v.pipe(
  v.object({
    granularity: v.picklist(['hour', 'day']),
    read_at: v.pipe(seconds, v.description('The time of the read, which all requests within 30 s share')),
    entities_read: count,
    is_partial: v.pipe(v.boolean(), v.description('True: there are more entities than were read')),
    admitted: v.pipe(count, v.description('Admitted requests')),
    denied: count,
    points: v.pipe(
      v.array(v.object({ start: seconds, admitted: count, denied: count })),
      v.description('One point for every hour or UTC day, including those without requests'),
    ),
    top_denied: v.pipe(
      v.array(
        v.object({
          entity_id: v.string(),
          name: v.string(),
          denied: count,
          share_percent: v.pipe(
            percent,
            v.description('The share of all denials, 0 to 100, with one decimal'),
          ),
        }),
      ),
      v.description('The entities with the most denials, at most 20'),
    ),
  }),
  v.metadata({ ref: 'Traffic' }),
)
