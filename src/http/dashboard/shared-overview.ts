import type { Entity } from '../../core/model/entity.ts'
import type { Page } from '../../core/ports/admin-store.ts'
import type { AppDependencies } from '../app-dependencies.ts'
import { type EntityOverview, entityJson, type OverviewRequest } from './entity-overview.ts'
import { createObservations } from './observations.ts'
import { createSharedReading } from './shared-reading.ts'

type Needs = Pick<AppDependencies, 'limiter' | 'store' | 'clock' | 'caches'> & {
  /** Who asks within this time, in ms, gets what was read for the one before; 0: each gets a reading of its own. */
  readonly maxAgeMs: number
}

/** The overview, read once for all who look at it. */
export interface SharedOverview {
  /** Numbers no older than `maxAgeMs`, for as many entities as are read within it. */
  read(request: OverviewRequest): Promise<EntityOverview>
  /** This process has just changed something: which entities there are is looked up anew. */
  forget(): void
}

/** Which entities there are is looked up so often; those that this process makes or deletes show at once. */
const LISTED_FOR_MS = 5000

/**
 * What all viewers of this process cost together, while there are any: each different page is listed every five
 * seconds, and each entity on any of them is read at most once in `maxAgeMs`, `READ_AGAIN` entities in all.
 */
export const createSharedOverview = (needs: Needs): SharedOverview => {
  const { clock, caches, store, maxAgeMs } = needs
  const observations = createObservations(needs)
  const list = (request: OverviewRequest) => store.listEntities(request)
  const listing = () =>
    createSharedReading({ clock, caches, maxAgeMs: maxAgeMs && LISTED_FOR_MS, keyOf, read: list })
  let listed = listing()

  const look = async ({ items, nextCursor }: Page<Entity>): Promise<EntityOverview> => {
    const observed = await observations.of(items.map(({ id }) => id))
    const now = clock.now()
    const entities = items.flatMap((entity, at) => {
      const status = observed[at]?.(now)
      return status ? [entityJson(entity, status)] : []
    })
    return { entities, next_cursor: nextCursor }
  }
  const shared = createSharedReading({
    clock,
    caches,
    maxAgeMs,
    keyOf,
    read: async (request: OverviewRequest) => look(await listed(request)),
  })

  return {
    read: shared,
    forget() {
      listed = listing()
    },
  }
}

const keyOf = ({ limit, cursor, q }: OverviewRequest): string => JSON.stringify([limit, cursor, q])
