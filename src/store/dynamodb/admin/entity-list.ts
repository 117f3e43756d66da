import { setTimeout as wait } from 'node:timers/promises'
import { isId } from '../../../core/entity/entity.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { badCursor, decodeCursor, encodeCursor } from '../../cursor.ts'
import { type EntityPage, type EntitySource, searchEntities } from '../../search.ts'
import { type StoredItem, toItem } from '../attribute-values.ts'
import { toEntity } from '../items/entity-item.ts'
import type { TableReads } from '../table/table-reads.ts'
import { entityKey, INDEX, INDEXED } from '../table-keys.ts'

/** Lists entities by the index; searches share a bounded number of reads per second. */
export const createEntityList = (reads: TableReads): AdminStore['listEntities'] => {
  const paced = createPace(SEARCH_PAUSE_MS)
  const source: EntitySource = {
    page: (options) => (options.prefix === '' ? paced(() => pageOf(reads, options)) : pageOf(reads, options)),
  }
  return async ({ q, ...request }) => {
    if (q) return searchEntities(source, { ...request, q })
    const { limit, cursor } = request
    const page = await pageOf(reads, { prefix: '', after: startOf(cursor), limit: limit + 1 })
    const items = page.entities.slice(0, limit)
    // a query also ends after 1 MiB, perhaps with fewer items than asked for
    const next = page.entities.length > limit ? items.at(-1)?.id : page.readUpTo
    return { items, nextCursor: next === undefined ? null : encodeCursor(next) }
  }
}

/**
 * Between two pages that searches read, of all viewers together: at most 50 pages, 5,000 entities, per second and process.
 * Others' requests go on meanwhile.
 */
const SEARCH_PAUSE_MS = 20

/** Runs tasks one at a time, with a pause after each. */
const createPace = (pauseMs: number) => {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(task: () => Promise<T>): Promise<T> => {
    const mine = last.then(task)
    last = mine.catch(() => {}).then(() => wait(pauseMs, undefined, { ref: false }))
    return mine
  }
}

const startOf = (cursor: string | undefined): string | undefined => {
  const [lastId] = decodeCursor(cursor, 1) ?? []
  if (lastId !== undefined && !isId(lastId)) throw badCursor()
  return lastId
}

const pageOf = async (
  reads: TableReads,
  { prefix, after, limit }: Parameters<EntitySource['page']>[0],
): Promise<EntityPage> => {
  const range = prefix === '' ? 'all' : { prefix }
  const start = after === undefined ? {} : { after: startAfter(after) }
  const { items, next } = await reads.indexPage(INDEX, INDEXED.entities, range, { limit, ...start })
  return { entities: items.map(toEntity), readUpTo: next?.GSI1SK?.S }
}

const startAfter = (id: string): StoredItem =>
  toItem({ ...entityKey(id), GSI1PK: INDEXED.entities, GSI1SK: id })
