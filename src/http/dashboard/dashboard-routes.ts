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
import { DEFAULT_PER_PAGE, idParam, resourceQuery, searchQuery } from '../../contract/fields.ts'
import { secondsOf } from '../../web/denial-json.ts'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'
import { params, query } from '../body/validated.ts'
import { createSharedReads } from '../cached-reads.ts'
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
      summary: 'Show what the token may do, and what this node is',
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

const LEAST = 'Of each entity the bucket that has the least left.'

const SHARED = [
  LEAST,
  'A process that streams (each worker by itself) reads an entity at most once a second, whoever looks,',
  `and of those that it knows ${MAX_REREADS} a second at most: on larger pages each in its turn, shown meanwhile as it refills.`,
  'Which entities there are may be five seconds old, and the limits that other processes have set thirty.',
].join(' ')

const createOverviewRoutes = (needs: Needs) => {
  const { clock, logger, settings, overview } = needs
  const intervalMs = settings.streamIntervalMs
  // who asks once wants to know how it is now
  const own = createOverviewReader({ ...needs, maxAgeMs: 0 })
  return new Hono<AppEnv>()
    .get(
      '/entities',
      describeRoute({
        tag,
        summary: 'Show what each entity has left',
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
        summary: 'Stream what each entity has left',
        description: `Events \`entities\`: first all, then about every second those that changed, with \`removed\` ids. ${SHARED}`,
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
        summary: 'Show what an entity has left',
        response: availabilityResponse,
        errors: [400, 404],
      }),
      params(idParam),
      query(resourceQuery),
      async (c) => {
        const { id } = c.req.valid('param')
        const { resource } = c.req.valid('query')
        const own = await limiter.status(id, resource)
        const others = await limiter.statusOfOthers(id, resource ?? own.resource)
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
        summary: 'Show how long a request would have to wait',
        description:
          'A request that costs `rpm` requests (1 unless told) and `tpm` tokens (none unless told).',
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

const STATS_SHARED_MS = 30_000

const createStatsRoutes = (needs: Needs) => {
  const { clock, caches } = needs
  const shared = createSharedReads({
    caches,
    maxAge: { clock, ms: STATS_SHARED_MS },
    keyOf: (granularity) => granularity,
    read: (granularity: TrafficReading['granularity']) => readTraffic(needs, granularity),
  })
  return new Hono<AppEnv>().get(
    '/stats',
    describeRoute({
      tag,
      summary: 'Show what was admitted and denied, and who was denied most',
      description: `By hour of the last day, or by UTC day of the last 30, of the first ${MAX_ENTITIES_READ} entities by id: \`is_partial\` where there are more. Counts come seconds after what they count.`,
      response: trafficResponse,
      errors: [400],
    }),
    query(trafficQuery),
    async (c) => c.json(await shared(c.req.valid('query').granularity ?? 'hour')),
  )
}
