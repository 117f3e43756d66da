import type { Limiter } from '../../core/deciding/decision.ts'
import type { Entity } from '../../core/entity/entity.ts'
import { ZaelError } from '../../core/errors.ts'
import type { AdminStore, PageRequest } from '../../core/ports/admin-store.ts'
import { utilizationPercent } from '../admin/limit-json.ts'

export interface DashboardEntity {
  readonly entity_id: string
  readonly name: string
  readonly parent_id: string | null
  readonly limits: readonly {
    readonly name: string
    readonly resource: string
    readonly capacity: number
    readonly available: number
    readonly utilization_percent: number
  }[]
}

/** A page of entities, each with the bucket that has the least left. */
export interface EntityOverview {
  readonly entities: readonly DashboardEntity[]
  readonly next_cursor: string | null
}

export type OverviewRequest = PageRequest & { readonly q?: string }

/** So many buckets are read at once. */
const AT_ONCE = 25

export const readOverview = async (
  { store, limiter }: { readonly store: AdminStore; readonly limiter: Limiter },
  request: OverviewRequest,
): Promise<EntityOverview> => {
  const page = await store.listEntities(request)
  const entities: DashboardEntity[] = []
  for (let start = 0; start < page.items.length; start += AT_ONCE) {
    const batch = page.items.slice(start, start + AT_ONCE)
    const read = await Promise.all(batch.map((entity) => readEntity(limiter, entity)))
    entities.push(...read.filter((entity) => entity !== undefined))
  }
  return { entities, next_cursor: page.nextCursor }
}

/** Undefined: it was deleted since it was listed. */
const readEntity = async (limiter: Limiter, entity: Entity): Promise<DashboardEntity | undefined> => {
  try {
    const { limits } = await limiter.status(entity.id)
    return {
      entity_id: entity.id,
      name: entity.name,
      parent_id: entity.parentId,
      limits: limits.map((state) => ({
        name: state.limit.name,
        resource: state.resource,
        capacity: state.capacity,
        available: state.available,
        utilization_percent: utilizationPercent(state),
      })),
    }
  } catch (error) {
    if (error instanceof ZaelError && error.code === 'not_found') return undefined
    throw error
  }
}
