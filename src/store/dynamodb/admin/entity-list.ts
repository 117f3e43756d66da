import { type Entity, isId } from '../../../core/entity/entity.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { badCursor, decodeCursor, encodeCursor } from '../../cursor.ts'
import { matchesSearch } from '../../search.ts'
import { type StoredItem, toItem } from '../attribute-values.ts'
import { toEntity } from '../items/entity-item.ts'
import type { TableReads } from '../table/table-reads.ts'
import { entityKey, INDEX, INDEXED } from '../table-keys.ts'

/** How many entities a search reads at a time, and at most for one page. */
const SEARCH_PAGE = 500
const SEARCH_BOUND = 10_000

/**
 * Lists entities by the index. A search reads on until the page is full; where little matches, a page ends after
 * `SEARCH_BOUND` entities and may hold fewer than asked for, or none, and still have a cursor.
 */
export const createEntityList =
  (reads: TableReads): AdminStore['listEntities'] =>
  async ({ limit, cursor, q }) => {
    const found: Entity[] = []
    let seen = 0
    for await (const { entities, readUpTo } of pagesAfter(
      reads,
      startOf(cursor),
      q === undefined ? limit + 1 : SEARCH_PAGE,
    )) {
      found.push(...entities.filter((entity) => matchesSearch(entity, q)))
      seen += entities.length
      if (found.length > limit || seen >= SEARCH_BOUND) return pageOf(found, limit, readUpTo)
    }
    return pageOf(found, limit, undefined)
  }

const startOf = (cursor: string | undefined): string | undefined => {
  const [lastId] = decodeCursor(cursor, 1) ?? []
  if (lastId !== undefined && !isId(lastId)) throw badCursor()
  return lastId
}

interface EntityPage {
  readonly entities: readonly Entity[]
  /** The last id that was looked at; undefined where there are no more. */
  readonly readUpTo: string | undefined
}

async function* pagesAfter(
  reads: TableReads,
  lastId: string | undefined,
  pageSize: number,
): AsyncGenerator<EntityPage> {
  let after = lastId === undefined ? undefined : startAfter(lastId)
  do {
    const page = await reads.indexPage(INDEX, INDEXED.entities, 'all', {
      limit: pageSize,
      ...(after !== undefined && { after }),
    })
    after = page.next
    yield { entities: page.items.map(toEntity), readUpTo: after?.GSI1SK?.S }
  } while (after !== undefined)
}

/** The first `limit` of what was found; `readUpTo` is the last id that was looked at, undefined where all were. */
const pageOf = (found: readonly Entity[], limit: number, readUpTo: string | undefined) => {
  const items = found.slice(0, limit)
  const next = found.length > limit ? items.at(-1)?.id : readUpTo
  return { items, nextCursor: next === undefined ? null : encodeCursor(next) }
}

const startAfter = (id: string): StoredItem =>
  toItem({ ...entityKey(id), GSI1PK: INDEXED.entities, GSI1SK: id })
