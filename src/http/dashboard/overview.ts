import type { SSEStreamingApi } from 'hono/streaming'
import type { BucketStatus } from '../../core/decide/inspector.ts'
import type { Entity } from '../../core/model/entity.ts'
import { MS_NS, SECOND_NS } from '../../core/model/time.ts'
import type { Page, PageRequest } from '../../core/ports/admin-store.ts'
import { createCachedReads } from '../../core/ports/cached-reads.ts'
import { createOnceAMinute } from '../../core/ports/once-a-minute.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'
import type { AppDependencies } from '../app-dependencies.ts'
import { utilizationPercent } from '../limits/limits.ts'
import { createObservations } from './observations.ts'

type Needs = Pick<AppDependencies, 'limiter' | 'store' | 'clock' | 'caches'> & {
  /** How long a read is shared, in ms; 0: each request reads separately. */
  readonly maxAgeMs: number
}

/** The overview, read once for all viewers. */
export interface OverviewReader {
  /** Availability no older than `maxAgeMs`, for the entities that can be read within that time. */
  read(request: OverviewRequest): Promise<EntityOverview>
  /** Call it after a change by this process: the next read lists the entities again. */
  forget(): void
}

/** The entities are listed at most this often; those that this process creates or deletes appear at once. */
const LISTED_FOR_NS = 5n * SECOND_NS

const MAX_PAGES = 100

/**
 * Bounds the reads for all viewers of this process together: each different page is listed every five seconds, and each entity
 * on any of them is read at most once in `maxAgeMs`, at most `MAX_REREADS` entities in all.
 */
export const createOverviewReader = (needs: Needs): OverviewReader => {
  const { clock, caches, store, maxAgeMs } = needs
  const maxAgeNs = BigInt(maxAgeMs) * MS_NS
  const observations = createObservations(needs)
  const pages = { clock, caches, max: MAX_PAGES, keyOf }
  const listed = createCachedReads({
    ...pages,
    read: (request: OverviewRequest) => store.listEntities(request),
  })

  const look = async ({ items, nextCursor }: Page<Entity>): Promise<EntityOverview> => {
    const observed = await observations.of(items.map(({ id }) => id))
    const now = clock.now()
    const entities = items.flatMap((entity, at) => {
      const status = observed[at]?.(now)
      return status ? [entityJson(entity, status)] : []
    })
    return { entities, next_cursor: nextCursor }
  }
  const overviews = createCachedReads({
    ...pages,
    read: async (request: OverviewRequest) =>
      look(await listed.get(request, maxAgeNs === 0n ? 0n : LISTED_FOR_NS)),
  })

  return {
    read: async (request) => overviews.get(request, maxAgeNs),
    forget: listed.forget,
  }
}

const keyOf = ({ limit, cursor, q }: OverviewRequest): string => JSON.stringify([limit, cursor, q])

export interface DashboardEntity {
  readonly entity_id: string
  readonly name: string
  readonly parent_id: string | null
  readonly limits: readonly {
    readonly name: string
    readonly resource: string
    /** Only for money: the amounts are micro-dollars. */
    readonly meter?: 'cost_usd_micros'
    readonly capacity: number
    readonly available: number
    readonly utilization_percent: number
  }[]
}

/** A page of entities, each with its bucket of the least available share. */
export interface EntityOverview {
  readonly entities: readonly DashboardEntity[]
  readonly next_cursor: string | null
}

export type OverviewRequest = PageRequest & { readonly q?: string }

const entityJson = (entity: Entity, { limits }: BucketStatus): DashboardEntity => ({
  entity_id: entity.id,
  name: entity.name,
  parent_id: entity.parentId,
  limits: limits.map((state) => ({
    name: state.limit.name,
    resource: state.resource,
    ...(state.limit.meter === 'cost_usd_micros' && { meter: state.limit.meter }),
    capacity: state.capacity,
    available: state.available,
    utilization_percent: utilizationPercent(state),
  })),
})

interface Options {
  readonly clock: Clock
  readonly logger: Logger
  /** null: the stream ends after one event. */
  readonly intervalMs: number | null
  readonly read: () => Promise<EntityOverview>
}

const HEARTBEAT_NS = 15n * SECOND_NS

/** The wait of a client before it reconnects. */
const RETRY_MS = 2000

/** Sends all entities, then those that change, until the viewer disconnects. Comments are the heartbeat. */
export const sendOverview = async (stream: SSEStreamingApi, options: Options): Promise<void> => {
  const { clock, intervalMs } = options
  let sentAt = clock.monotonic()
  const first = await options.read()
  await send(stream, first)
  if (intervalMs === null) return
  let shown = overviewChanges(new Map(), first).shown
  const failed = createOnceAMinute(clock)
  for (;;) {
    await stream.sleep(intervalMs)
    if (stream.aborted || stream.closed) return
    const now = clock.monotonic()
    const next = await sendChanges(stream, { ...options, failed }, shown)
    shown = next.shown
    if (!next.sent && now - sentAt < HEARTBEAT_NS) continue
    if (!next.sent) await stream.write(': heartbeat\n\n')
    sentAt = now
  }
}

/** A failed read does not end the stream. */
const sendChanges = async (
  stream: SSEStreamingApi,
  { read, logger, failed }: Options & { readonly failed: ReturnType<typeof createOnceAMinute> },
  shown: Shown,
): Promise<{ readonly shown: Shown; readonly sent: boolean }> => {
  try {
    const overview = await read()
    const { entities, removed, shown: now } = overviewChanges(shown, overview)
    if (entities.length === 0 && removed.length === 0) return { shown: now, sent: false }
    await send(stream, { entities, removed, next_cursor: overview.next_cursor })
    return { shown: now, sent: true }
  } catch (error) {
    failed((failures) => logger.warn('dashboard stream not read', { error: String(error), failures }))
    return { shown, sent: false }
  }
}

const send = (stream: SSEStreamingApi, body: object): Promise<void> =>
  stream.writeSSE({ event: 'entities', data: JSON.stringify(body), retry: RETRY_MS })

/** The JSON that one viewer has received of each entity, by id. */
export type Shown = ReadonlyMap<string, string>

/** The changes since `shown`; `removed` lists deleted entities. */
export interface OverviewChanges {
  readonly entities: readonly DashboardEntity[]
  readonly removed: readonly string[]
  readonly shown: Shown
}

const overviewChanges = (shown: Shown, { entities }: EntityOverview): OverviewChanges => {
  const now = new Map(entities.map((entity) => [entity.entity_id, JSON.stringify(entity)]))
  return {
    entities: entities.filter(({ entity_id }) => now.get(entity_id) !== shown.get(entity_id)),
    removed: [...shown.keys()].filter((id) => !now.has(id)),
    shown: now,
  }
}
