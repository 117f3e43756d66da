import { Hono } from 'hono'
import type * as v from 'valibot'
import { ownLimitsQuery, ownLimitsResponse } from '../../contract/checks.ts'
import { openAiErrorResponse } from '../../contract/errors.ts'
import { usageQuery, usageResponse } from '../../contract/history.ts'
import type { LimitState } from '../../core/decide/decision.ts'
import type { Entity } from '../../core/model/entity.ts'
import { invalid, StoreUnavailable } from '../../core/model/errors.ts'
import { epochSeconds } from '../../core/model/json.ts'
import { DEFAULT_RESOURCE } from '../../core/model/limit-set.ts'
import { nameAsId } from '../../core/model/policy.ts'
import { DAY_SECONDS, SECOND_NS } from '../../core/model/time.ts'
import { type UsagePoint, type UsageReader, usagePeriod } from '../../core/model/usage.ts'
import { createCachedReads } from '../../core/ports/cached-reads.ts'
import { createFairCache } from '../../core/ports/fair-cache.ts'
import type { CacheFactory } from '../../core/ports/platform.ts'
import type { ActingIdentity, AppDependencies, AppEnv } from '../app-dependencies.ts'
import { query } from '../body/validated.ts'
import { type Decider, deciderOf } from '../decisions.ts'
import { usageJson } from '../entities/usage.ts'
import { limitStateJson } from '../limit-checks/decide-check.ts'
import { createMinuteBound, type MinuteBound } from '../minute-bound.ts'
import { type ModelLookup, requireMayUse } from '../models/model-lookup.ts'
import { describeOperation, jsonResponse } from '../openapi/described.ts'
import { headerNames, NAME_HEADERS, namesOf, type RequestNames } from '../request-names.ts'

/*
 * What a caller has left, and has used. Nothing is charged. The first limits of a minute are as they are now, so a caller sees
 * what it has just used; of more, reads are shared, and a page that polls fast reads the table once per second. Reads are
 * bounded, because callers choose resources, names and periods.
 */

interface Needs extends Pick<AppDependencies, 'limiter' | 'clock' | 'caches' | 'secrets' | 'settings'> {
  readonly usage: UsageReader
  readonly models: ModelLookup
}

/** The age of shared responses. */
const LIMITS_SHARED_NS = SECOND_NS
const USAGE_SHARED_NS = 10n * SECOND_NS

/** So many reads of an entity in a minute are not shared. */
const CURRENT_READS_PER_MINUTE = 30

const MAX_CACHED = 10_000

/** Reads of the table for one entity in one process, limits and usage together. */
const MOST_READS_PER_MINUTE = 120

/** The longest period of one response: reading a day takes 24 items per resource. */
const LONGEST_DAYS = 31

export const createOwnQuotaRoutes = (needs: Needs): Hono<AppEnv> => {
  const { clock, caches } = needs
  const reads = createMinuteBound({
    clock,
    caches,
    mostPerMinute: MOST_READS_PER_MINUTE,
    message: 'Too many different requests for limits and usage; a repeated one is served from memory',
  })
  const reading: Reading = { ...needs, decider: deciderOf(needs), reads }
  return new Hono<AppEnv>()
    .route('/limits', createOwnLimitsRoute(reading))
    .route('/usage', createOwnUsageRoute(reading))
}

interface Reading extends Needs {
  readonly decider: Decider
  /** Of the table, by entity. */
  readonly reads: MinuteBound
}

interface LimitsRequest extends RequestNames {
  readonly entityId: string
  /** Of a token. */
  readonly entity: Entity | undefined
  readonly resource: string | undefined
}

const createOwnLimitsRoute = (reading: Reading): Hono<AppEnv> => {
  const states = createCachedReads<LimitsRequest, readonly LimitState[]>({
    clock: reading.clock,
    caches: fairCaches,
    max: MAX_CACHED,
    keyOf: ({ entityId, entity, resource = '', user = '', session = '' }) =>
      `${entityId}#${resource}#${user}#${session}#${entity?.role ?? ''}#${entity?.parentId ?? ''}`,
    read: (request) => readStates(reading, request),
  })
  return new Hono<AppEnv>().get(
    '/',
    describeOwn({
      summary: 'Show your own limits',
      description:
        'Every limit that a request would be checked against, with what is left: your own, those of parents and of policies. Nothing is charged. After thirty requests in a minute, a response may be a second old.',
      response: ownLimitsResponse,
      parameters: NAME_HEADERS,
    }),
    query(ownLimitsQuery),
    async (c) => {
      const { resource, ...named } = c.req.valid('query')
      const acting = requireActing(c.get('acting'))
      await requireMayUse(reading.models, acting.entity, resource)
      const { entityId } = acting
      const names = namesOf(acting, { ...headerNames((name) => c.req.header(name)), ...named })
      const request = { entityId, entity: acting.token?.entity, resource, ...asIds(reading, names) }
      const isShared = reading.reads.countOf(entityId) >= CURRENT_READS_PER_MINUTE
      const limits = await states.get(request, isShared ? LIMITS_SHARED_NS : 0n)
      const body = { entity_id: entityId, resource: resource ?? DEFAULT_RESOURCE }
      return c.json({ ...body, limits: limits.map(ownLimitJson) })
    },
  )
}

/** Names that clients choose are bounded before they are part of a key. */
const asIds = ({ secrets }: Needs, { user, session }: RequestNames): RequestNames => ({
  user: user && nameAsId(user, secrets.hash),
  session: session && nameAsId(session, secrets.hash),
})

/** The states of all limits, as a check without a cost reads them. */
const readStates = async (
  { decider, reads }: Reading,
  { entityId, entity, resource, user, session }: LimitsRequest,
): Promise<readonly LimitState[]> => {
  reads.record(entityId)
  const { limits, degraded } = await decider.decide({
    ...{ entityId, cost: {}, settles: false, dryRun: true },
    ...(entity !== undefined && { entity }),
    ...(resource !== undefined && { resource }),
    ...(user !== undefined && { user }),
    ...(session !== undefined && { session }),
  })
  if (degraded) throw new StoreUnavailable('The limits cannot be read', { mayHaveApplied: false })
  return limits
}

/** As in a check; only money has its meter, because its amounts are micro-dollars. */
const ownLimitJson = (state: LimitState) => ({
  ...limitStateJson(state),
  ...(state.limit.meter === 'cost_usd_micros' && { meter: state.limit.meter }),
})

interface UsageRequest extends v.InferOutput<typeof usageQuery> {
  readonly entityId: string
}

const createOwnUsageRoute = (reading: Reading): Hono<AppEnv> => {
  const points = createCachedReads<UsageRequest, readonly UsagePoint[]>({
    clock: reading.clock,
    caches: fairCaches,
    max: MAX_CACHED,
    keyOf: ({ entityId, resource = '', granularity = '', from = '', to = '' }) =>
      `${entityId}#${resource}#${granularity}#${from}#${to}`,
    read: (request) => readUsage(reading, request),
  })
  return new Hono<AppEnv>().get(
    '/',
    describeOwn({
      summary: 'Show your own usage by hour or UTC day',
      description: `Default: the last day by hour, the last 30 days by day; at most ${LONGEST_DAYS} days. Times are seconds since the epoch. A response may be ten seconds old.`,
      response: usageResponse,
    }),
    query(usageQuery),
    async (c) => {
      const { entityId } = requireActing(c.get('acting'))
      const found = await points.get({ entityId, ...c.req.valid('query') }, USAGE_SHARED_NS)
      return c.json(usageJson(entityId, found))
    },
  )
}

const readUsage = async (
  { usage, clock, reads }: Reading,
  { entityId, resource, ...asked }: UsageRequest,
): Promise<readonly UsagePoint[]> => {
  const period = usagePeriod(asked, epochSeconds(clock.now()))
  if (period.to - period.from > LONGEST_DAYS * DAY_SECONDS)
    throw invalid('from', `be at most ${LONGEST_DAYS} days before to`)
  reads.record(entityId)
  return usage.usage({ entityId, ...period, ...(resource !== undefined && { resource }) })
}

/** Callers choose resources, names and periods: those of one caller displace few of others. */
const fairCaches: CacheFactory = ({ max }) =>
  createFairCache({ max, groupOf: (key) => key.slice(0, key.indexOf('#')) })

/** Throws `invalid_request` for an administrator who names no entity. */
const requireActing = (acting: ActingIdentity | undefined): ActingIdentity => {
  if (acting === undefined) throw invalid('X-Zael-Entity', 'name the entity whose limits or usage to show')
  return acting
}

interface OwnDescription {
  readonly summary: string
  readonly description: string
  readonly response: v.GenericSchema
  /** Beside those of the query. */
  readonly parameters?: typeof NAME_HEADERS
}

const describeOwn = ({ response, ...described }: OwnDescription) =>
  describeOperation({
    tags: ['Limits'],
    ...described,
    responses: {
      200: jsonResponse('The response', response),
      400: jsonResponse('A field is not valid, or an administrator names no entity', openAiErrorResponse),
      403: jsonResponse('You may not use this model', openAiErrorResponse),
      404: jsonResponse('The entity that an administrator names does not exist', openAiErrorResponse),
      429: jsonResponse(
        `More than ${MOST_READS_PER_MINUTE} different requests in a minute`,
        openAiErrorResponse,
      ),
    },
  })
