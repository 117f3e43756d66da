import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import * as v from 'valibot'
import {
  availabilityResponse,
  dashboardEntitiesResponse,
  sessionResponse,
  trafficQuery,
  trafficResponse,
  waitTimeQuery,
  waitTimeResponse,
} from '../../contract/dashboard.ts'
import { DEFAULT_PER_PAGE, idParam, requestQuery, searchQuery } from '../../contract/fields.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import { createCachedReads } from '../../core/ports/cached-reads.ts'
import { secondsOf } from '../../web/denial-json.ts'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'
import { params, query } from '../body/validated.ts'
import { availabilityJson } from '../limits/limits.ts'
import { describeRoute } from '../openapi/described.ts'
import { MAX_REREADS } from './observations.ts'
import { createOverviewReader, type OverviewReader, sendOverview } from './overview.ts'
import { MAX_ENTITIES_READ, readTraffic, type TrafficReading } from './traffic.ts'

const tag = 'Dashboard'

interface Needs
  extends Pick<AppDependencies, 'limiter' | 'store' | 'usage' | 'clock' | 'caches' | 'logger' | 'settings'> {
  readonly overview: OverviewReader
}

export const createDashboardRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .route('/', createSessionRoutes(needs))
    .route('/', createEntityRoutes(needs))
    .route('/', createOverviewRoutes(needs))
    .route('/', createStatsRoutes(needs))

const createSessionRoutes = ({ settings }: Needs) =>
  new Hono<AppEnv>().get(
    '/session',
    describeRoute({
      tag,
      summary: 'Show the role of the token, and the properties of this node',
      response: sessionResponse,
    }),
    (c) =>
      c.json({
        role: c.get('identity').kind,
        streams: settings.streamIntervalMs !== null,
        node_id: settings.nodeId,
        version: settings.version,
        default_model: settings.defaultModel,
      }),
  )

const LEAST = 'Contains the bucket of each entity with the least available share.'

const SHARED = [
  LEAST,
  'A process that streams (each worker separately) reads an entity at most once per second for all viewers,',
  `and rereads at most ${MAX_REREADS} entities per second: on larger pages they take turns, and meanwhile appear as they refill.`,
  'The list of entities may be 5 seconds old, and limits set by other processes 30 seconds.',
].join(' ')

const createOverviewRoutes = (needs: Needs) => {
  const { clock, logger, settings, overview } = needs
  const intervalMs = settings.streamIntervalMs
  // a single request reads the current state
  const own = createOverviewReader({ ...needs, maxAgeMs: 0 })
  return new Hono<AppEnv>()
    .get(
      '/entities',
      describeRoute({
        tag,
        summary: 'Show the availability of each entity',
        description: LEAST,
        response: dashboardEntitiesResponse,
        errors: [400, 429],
      }),
      query(searchQuery),
      async (c) => c.json(await own.read({ limit: DEFAULT_PER_PAGE, ...c.req.valid('query') })),
    )
    .get(
      '/stream',
      describeRoute({
        tag,
        summary: 'Stream the availability of each entity',
        description: `Events \`entities\`: first all entities, then about every second those that changed, with \`removed\` ids. ${SHARED}`,
        response: v.string(),
        mediaType: 'text/event-stream',
        errors: [400, 429],
      }),
      query(searchQuery),
      async (c) => {
        const read = () => overview.read({ limit: DEFAULT_PER_PAGE, ...c.req.valid('query') })
        await read()
        return streamSSE(c, (stream) => sendOverview(stream, { clock, logger, intervalMs, read }))
      },
    )
}

const createEntityRoutes = ({ limiter }: Needs) =>
  new Hono<AppEnv>()
    .get(
      '/availability/:id',
      describeRoute({
        tag,
        summary: 'Show the availability of an entity',
        response: availabilityResponse,
        errors: [400, 404],
      }),
      params(idParam),
      query(requestQuery),
      async (c) => {
        const { id } = c.req.valid('param')
        const { resource, ...names } = c.req.valid('query')
        const own = await limiter.status(id, resource)
        const others = await limiter.statusOfOthers(id, resource ?? own.resource, names)
        return c.json({
          ...availabilityJson(id, own),
          also_enforced: others.map(({ entityId, ...status }) => availabilityJson(entityId, status)),
        })
      },
    )
    .get(
      '/wait-time/:id',
      describeRoute({
        tag,
        summary: 'Show the wait of a request',
        description: 'For a request that costs `rpm` requests (default 1) and `tpm` tokens (default none).',
        response: waitTimeResponse,
        errors: [400, 404],
      }),
      params(idParam),
      query(waitTimeQuery),
      async (c) => {
        const { id } = c.req.valid('param')
        const { rpm = 1, tpm, resource } = c.req.valid('query')
        const cost = { requests: rpm, ...(tpm !== undefined && { tokens: tpm }) }
        const { waitNs, limiting } = await limiter.waitTime(id, cost, resource)
        return c.json({
          entity_id: id,
          wait_seconds: waitNs === null ? null : secondsOf(waitNs),
          limiting: limiting?.limit.name ?? null,
        })
      },
    )

type Granularity = TrafficReading['granularity']

const STATS_SHARED_NS = 30n * SECOND_NS

/** By hour and by day. */
const PERIODS = 2

const createStatsRoutes = (needs: Needs) => {
  const { clock, caches } = needs
  const traffic = createCachedReads({
    clock,
    caches,
    max: PERIODS,
    keyOf: (granularity) => granularity,
    read: (granularity: Granularity) => readTraffic(needs, granularity),
  })
  return new Hono<AppEnv>().get(
    '/stats',
    describeRoute({
      tag,
      summary: 'Show admitted and denied requests, and the entities with the most denials',
      description: `By hour for the last day, or by UTC day for the last 30, for the first ${MAX_ENTITIES_READ} entities by id; \`is_partial\` if there are more. Counts are a few seconds late.`,
      response: trafficResponse,
      errors: [400],
    }),
    query(trafficQuery),
    async (c) => c.json(await traffic.get(c.req.valid('query').granularity ?? 'hour', STATS_SHARED_NS)),
  )
}
