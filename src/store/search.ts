import { type Entity, isId } from '../core/model/entity.ts'
import type { AdminStore, Page } from '../core/ports/admin-store.ts'
import { badCursor, decodeCursor, encodeCursor } from './cursor.ts'

/** Entities per read of a search. */
export const SEARCH_PAGE = 100
/** The most entities that one call reads, besides those whose id begins with `q`. */
export const MAX_EXAMINED = 500

/** Entities by id, ascending. */
export interface EntitySource {
  /** The entities after `after` whose id begins with `prefix`. */
  page(options: {
    readonly prefix: string
    readonly after: string | undefined
    readonly limit: number
  }): Promise<EntityPage>
}

export interface EntityPage {
  readonly entities: readonly Entity[]
  /** The last id that was read; undefined if there are no more. */
  readonly readUpTo: string | undefined
}

/**
 * A search has two parts: first the entities whose id begins with `q`, which the index finds, then the others whose id or name
 * contains `q`, ignoring case. The second part reads every entity, so a page ends after `MAX_EXAMINED` of them. It may then
 * contain fewer than `limit` entities, or none, and still have a cursor.
 */
type Part = 'prefix' | 'others'

type Search = Parameters<AdminStore['listEntities']>[0] & { readonly q: string }

interface Place {
  readonly part: Part
  readonly after: string | undefined
}

export const searchEntities = async (source: EntitySource, search: Search): Promise<Page<Entity>> => {
  const place = placeOf(search)
  if (place.part === 'others') return searchOthers(source, search, place.after, [])
  const { q, limit } = search
  const { entities, readUpTo } = await source.page({ prefix: q, after: place.after, limit })
  if (readUpTo !== undefined) return { items: entities, nextCursor: encodeCursor('prefix', readUpTo) }
  return searchOthers(source, search, undefined, entities)
}

const searchOthers = async (
  source: EntitySource,
  { q, limit }: Search,
  start: string | undefined,
  before: readonly Entity[],
): Promise<Page<Entity>> => {
  const found = [...before]
  let after = start ?? ''
  for (let examined = 0; examined < MAX_EXAMINED && found.length < limit; ) {
    const page = await source.page({ prefix: '', after: after || undefined, limit: SEARCH_PAGE })
    examined += page.entities.length
    found.push(...page.entities.filter((entity) => isOther(entity, q)))
    if (page.readUpTo === undefined) return firstOf(found, limit, null)
    after = page.readUpTo
  }
  return firstOf(found, limit, encodeCursor('others', after))
}

/** The first `limit` entities; `nextCursor` applies if there are no more. */
const firstOf = (found: readonly Entity[], limit: number, nextCursor: string | null): Page<Entity> => {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  if (last === undefined || found.length <= limit) return { items, nextCursor }
  return { items, nextCursor: encodeCursor('others', last.id) }
}

/** Whether the id or the name contains `q`, and the id does not begin with it. */
const isOther = ({ id, name }: Entity, q: string): boolean => {
  const needle = q.toLowerCase()
  return !id.startsWith(q) && (id.toLowerCase().includes(needle) || name.toLowerCase().includes(needle))
}

const placeOf = ({ cursor, q }: Search): Place => {
  const [part = 'prefix', after] = decodeCursor(cursor, 2) ?? []
  if (part !== 'prefix' && part !== 'others') throw badCursor()
  const isStart = after === undefined || (part === 'others' && after === '')
  if (!isStart && !(isId(after) && (part === 'others' || after.startsWith(q)))) throw badCursor()
  return { part, after: after || undefined }
}
