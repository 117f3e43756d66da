import type { DashboardEntity } from '../api/responses.ts'
import { availableShare, loadLevel } from '../parts/bar.tsx'

export const SORTS = [
  ['tree', 'By parent'],
  ['least', 'Least left first'],
  ['name', 'By name'],
  ['id', 'By id'],
] as const

export type Sort = (typeof SORTS)[number][0]

export interface EntityRow {
  readonly entity: DashboardEntity
  /** 0 if no parent is above it. */
  readonly depth: number
}

/** The entities of a page in the chosen order. */
export const rowsOf = (entities: readonly DashboardEntity[], sort: Sort): readonly EntityRow[] => {
  const byId = [...entities].sort((a, b) => compare(a.entity_id, b.entity_id))
  if (sort === 'tree') return treeOf(byId)
  return sorted(byId, sort).map((entity) => ({ entity, depth: 0 }))
}

const sorted = (entities: DashboardEntity[], sort: Exclude<Sort, 'tree'>): DashboardEntity[] => {
  if (sort === 'name')
    return entities.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
  if (sort === 'least') return entities.sort((a, b) => stepOf(a) - stepOf(b))
  return entities
}

/** Steps of a twentieth, so that rows do not change places with every token that refills. */
const STEPS = 20
const stepOf = (entity: DashboardEntity): number => Math.ceil(leastShare(entity) * STEPS)

/** The available share of the limit with the least left, 0 to 1; above 1 without limits. */
export const leastShare = ({ limits }: DashboardEntity): number =>
  limits.reduce((least, { available, capacity }) => Math.min(least, availableShare(available, capacity)), 2)

/** Children below their parents, if both are on the page. `entities` are sorted by id. */
const treeOf = (entities: readonly DashboardEntity[]): readonly EntityRow[] => {
  const ids = new Set(entities.map(({ entity_id }) => entity_id))
  const children = new Map<string | null, DashboardEntity[]>()
  for (const entity of entities) {
    const parent = entity.parent_id !== null && ids.has(entity.parent_id) ? entity.parent_id : null
    const siblings = children.get(parent)
    if (siblings) siblings.push(entity)
    else children.set(parent, [entity])
  }
  const rows: EntityRow[] = []
  const add = (parent: string | null, depth: number): void => {
    for (const entity of children.get(parent) ?? []) {
      rows.push({ entity, depth })
      add(entity.entity_id, depth + 1)
    }
  }
  add(null, 0)
  return rows
}

/** The sums of a page. */
export const totalsOf = (entities: Iterable<DashboardEntity>) => {
  const totals = { entities: 0, limits: 0, high: 0 }
  for (const { limits } of entities) {
    totals.entities += 1
    totals.limits += limits.length
    totals.high += limits.filter(
      ({ available, capacity }) => loadLevel(available, capacity) === 'high',
    ).length
  }
  return totals
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
