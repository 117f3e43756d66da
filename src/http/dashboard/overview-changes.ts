import type { DashboardEntity, EntityOverview } from './entity-overview.ts'

/** What one viewer has been shown: each entity's JSON by its id. */
export type Shown = ReadonlyMap<string, string>

/** What changed since `shown`. `removed` lists what is gone. */
export interface OverviewChanges {
  readonly entities: readonly DashboardEntity[]
  readonly removed: readonly string[]
  readonly shown: Shown
}

export const overviewChanges = (shown: Shown, { entities }: EntityOverview): OverviewChanges => {
  const now = new Map(entities.map((entity) => [entity.entity_id, JSON.stringify(entity)]))
  return {
    entities: entities.filter(({ entity_id }) => now.get(entity_id) !== shown.get(entity_id)),
    removed: [...shown.keys()].filter((id) => !now.has(id)),
    shown: now,
  }
}
