import type { DashboardEntities, DashboardEntity } from '../../api/answers.ts'

/** What is known of a page of entities. */
export interface EntityPage {
  readonly entities: ReadonlyMap<string, DashboardEntity>
  readonly nextCursor: string | null
}

/** What the stream says: `removed` is missing from the first event, which holds all. */
export interface EntityChanges extends DashboardEntities {
  readonly removed?: readonly string[]
}

export const pageOf = ({ entities, next_cursor }: DashboardEntities): EntityPage => ({
  entities: new Map(entities.map((entity) => [entity.entity_id, entity])),
  nextCursor: next_cursor,
})

/** The page as it is after an event; `page` is undefined before the first. */
export const pageAfter = (page: EntityPage | undefined, changes: EntityChanges): EntityPage => {
  if (page === undefined || changes.removed === undefined) return pageOf(changes)
  const entities = new Map(page.entities)
  for (const id of changes.removed) entities.delete(id)
  for (const entity of changes.entities) entities.set(entity.entity_id, entity)
  return { entities, nextCursor: changes.next_cursor }
}
