import type { BucketStatus } from '../../core/decide/inspector.ts'
import type { Entity } from '../../core/model/entity.ts'
import type { PageRequest } from '../../core/ports/admin-store.ts'
import { utilizationPercent } from '../admin/limit-json.ts'

export interface DashboardEntity {
  readonly entity_id: string
  readonly name: string
  readonly parent_id: string | null
  readonly limits: readonly {
    readonly name: string
    readonly resource: string
    /** Of money alone: the amounts are micro-dollars. */
    readonly meter?: 'cost_usd_micros'
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

export const entityJson = (entity: Entity, { limits }: BucketStatus): DashboardEntity => ({
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
