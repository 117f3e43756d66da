import pLimit from 'p-limit'
import type { Entity } from '../../core/model/entity.ts'
import { epochSeconds } from '../../core/model/json.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import {
  type UsagePeriod,
  type UsagePoint,
  type UsageReader,
  unitSeconds,
  usagePeriod,
} from '../../core/model/usage.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import type { Clock } from '../../core/ports/platform.ts'

export interface TrafficReading extends Traffic {
  readonly granularity: UsagePeriod['granularity']
  /** Seconds since the epoch. */
  readonly read_at: number
  readonly entities_read: number
  /** True: there are more entities than were read. */
  readonly is_partial: boolean
}

/** The most entities to read, the first by id: each costs a query. */
export const MAX_ENTITIES_READ = 500

/** Few concurrent reads, so that decisions do not queue behind them, even on an embedded engine. */
const AT_ONCE = 4

/** No query is started after this time. */
const MAX_DURATION_NS = 5n * SECOND_NS

interface Needs {
  readonly store: Pick<AdminStore, 'listEntities'>
  readonly usage: UsageReader
  readonly clock: Clock
}

/** Admitted and denied requests in the last day by hour, or in the last 30 days by day. */
export const readTraffic = async (
  needs: Needs,
  granularity: UsagePeriod['granularity'],
): Promise<TrafficReading> => {
  const { store, usage, clock } = needs
  const readAt = epochSeconds(clock.now())
  const until = clock.monotonic() + MAX_DURATION_NS
  const period = usagePeriod({ granularity }, readAt)
  const { items, nextCursor } = await store.listEntities({ limit: MAX_ENTITIES_READ })
  const usages: EntityUsage[] = []
  await pLimit(AT_ONCE).map(items, async (entity) => {
    if (clock.monotonic() >= until) return
    usages.push({ entity, points: await usage.usage({ entityId: entity.id, ...period }) })
  })
  return {
    granularity,
    read_at: readAt,
    entities_read: usages.length,
    is_partial: nextCursor !== null || usages.length < items.length,
    ...trafficOf(usages, period),
  }
}

/** The usage that one entity's own buckets counted. */
export interface EntityUsage {
  readonly entity: Pick<Entity, 'id' | 'name' | 'parentId'>
  readonly points: readonly UsagePoint[]
}

export interface TrafficPoint {
  /** Seconds since the epoch: the start of the hour or day. */
  readonly start: number
  readonly admitted: number
  readonly denied: number
}

export interface TopDenied {
  readonly entity_id: string
  readonly name: string
  readonly denied: number
  readonly share_percent: number
}

/** Admitted and denied requests of all entities. */
export interface Traffic {
  readonly admitted: number
  readonly denied: number
  /** One for every hour or day of the period. */
  readonly points: readonly TrafficPoint[]
  readonly top_denied: readonly TopDenied[]
}

const MAX_TOP_DENIED = 20

/** Sums the counts of entities; every request counts once: see decision 041. */
export const trafficOf = (usages: readonly EntityUsage[], period: UsagePeriod): Traffic => {
  const counted = usages.map(countsOf)
  const { roots, childrenOf } = treeOf(counted)
  const points = startsIn(period).map(
    (start): TrafficPoint => ({
      start,
      admitted: sumOf(roots, (root) => admittedBelow(root, childrenOf, start)),
      denied: sumOf(counted, ({ denied }) => denied.get(start) ?? 0),
    }),
  )
  const denied = sumOf(points, (point) => point.denied)
  return {
    admitted: sumOf(points, (point) => point.admitted),
    denied,
    points,
    top_denied: topDenied(counted, denied),
  }
}

/** The counts of one entity for all its resources, by the start of the hour or day. */
interface Counts {
  readonly entity: EntityUsage['entity']
  readonly requests: ReadonlyMap<number, number>
  readonly denied: ReadonlyMap<number, number>
}

type ChildrenOf = (entity: Counts['entity']) => readonly Counts[]

const countsOf = ({ entity, points }: EntityUsage): Counts => {
  const requests = new Map<number, number>()
  const denied = new Map<number, number>()
  for (const point of points) {
    requests.set(point.start, (requests.get(point.start) ?? 0) + point.used.requests)
    denied.set(point.start, (denied.get(point.start) ?? 0) + point.denied)
  }
  return { entity, requests, denied }
}

/** An entity whose parent was not read is a root. */
const treeOf = (all: readonly Counts[]): { readonly roots: readonly Counts[]; childrenOf: ChildrenOf } => {
  const known = new Set(all.map(({ entity }) => entity.id))
  const roots: Counts[] = []
  const children = new Map<string, Counts[]>()
  for (const each of all) {
    const { parentId } = each.entity
    if (parentId === null || !known.has(parentId)) roots.push(each)
    else {
      const siblings = children.get(parentId)
      if (siblings === undefined) children.set(parentId, [each])
      else siblings.push(each)
    }
  }
  return { roots, childrenOf: ({ id }) => children.get(id) ?? [] }
}

/**
 * An entity's count includes its own requests, and those of its descendants that were charged to it. So the requests of its
 * whole subtree are at least its own count, and at least the sum of its children's subtrees.
 */
const admittedBelow = ({ entity, requests }: Counts, childrenOf: ChildrenOf, start: number): number => {
  const fromBelow = sumOf(childrenOf(entity), (child) => admittedBelow(child, childrenOf, start))
  return Math.max(requests.get(start) ?? 0, fromBelow)
}

const startsIn = ({ granularity, from, to }: UsagePeriod): readonly number[] => {
  const unit = unitSeconds(granularity)
  return Array.from({ length: (to - from) / unit }, (_, place) => from + place * unit)
}

const topDenied = (counted: readonly Counts[], all: number): readonly TopDenied[] =>
  counted
    .map(({ entity, denied }) => ({ entity, denied: sumOf([...denied.values()], (amount) => amount) }))
    .filter(({ denied }) => denied > 0)
    .toSorted((a, b) => b.denied - a.denied || (a.entity.id < b.entity.id ? -1 : 1))
    .slice(0, MAX_TOP_DENIED)
    .map(({ entity: { id, name }, denied }) => ({
      entity_id: id,
      name,
      denied,
      share_percent: Math.round((denied / all) * 1000) / 10,
    }))

const sumOf = <T>(items: readonly T[], amountOf: (item: T) => number): number =>
  items.reduce((sum, item) => sum + amountOf(item), 0)
