import { setTimeout as wait } from 'node:timers/promises'
import { isId } from '../../../core/model/entity.ts'
import { TooManyRequests } from '../../../core/model/errors.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { badCursor, decodeCursor, encodeCursor } from '../../cursor.ts'
import { type EntityPage, type EntitySource, searchEntities } from '../../search.ts'
import { type StoredItem, toItem } from '../attributes.ts'
import { entityKey, INDEX, INDEXED } from '../table-keys.ts'
import type { TableReads } from '../table-reads.ts'
import { toEntity } from './entities.ts'

/**
 * All searches of a process together read at most 50 pages (5,000 entities) per second, so that other requests are processed
 * meanwhile. A full queue delays a search of five pages by about 4 s.
 */
export const SEARCH_PACE = { pauseMs: 20, maxSearches: 32 }

/** Lists entities by the index. Searches share `pace`, and reject with `TooManyRequests` beyond its bound. */
export const createEntityList = (
  reads: TableReads,
  pace: SearchPace = createSearchPace(SEARCH_PACE),
): AdminStore['listEntities'] => {
  return async ({ q, ...request }) => {
    if (q) return pacedSearch(reads, pace, { ...request, q })
    const { limit, cursor } = request
    const page = await pageOf(reads, { prefix: '', after: startOf(cursor), limit: limit + 1 })
    const items = page.entities.slice(0, limit)
    // a query also ends after 1 MiB, possibly with fewer items than requested
    const next = page.entities.length > limit ? items.at(-1)?.id : page.readUpTo
    return { items, nextCursor: next === undefined ? null : encodeCursor(next) }
  }
}

/** Reads by prefix are not paced: each is one small read of the index. */
const pacedSearch = async (
  reads: TableReads,
  pace: SearchPace,
  search: Parameters<typeof searchEntities>[1],
): ReturnType<typeof searchEntities> => {
  const paced = pace.begin()
  const page: EntitySource['page'] = (options) =>
    options.prefix === '' ? paced.read(() => pageOf(reads, options)) : pageOf(reads, options)
  try {
    return await searchEntities({ page }, search)
  } finally {
    paced.end()
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

/** Spreads the reads of all searches of a process over time, so that other requests are processed meanwhile. */
export interface SearchPace {
  begin(): PacedSearch
}

export interface PacedSearch {
  /**
   * Runs `task` after the tasks queued before it, and a pause. The first call rejects with `TooManyRequests` if `maxSearches`
   * searches are active.
   */
  read<T>(task: () => Promise<T>): Promise<T>
  end(): void
}

export interface SearchPaceOptions {
  /** Pause between two reads. */
  readonly pauseMs: number
  /** Also bounds the queue, because each search has at most one read in it. */
  readonly maxSearches: number
  readonly pause?: (ms: number) => Promise<unknown>
}

export const createSearchPace = ({
  pauseMs,
  maxSearches,
  pause = unrefWait,
}: SearchPaceOptions): SearchPace => {
  let reading = 0
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const mine = last.then(task)
    last = mine.catch(() => {}).then(() => pause(pauseMs))
    return mine
  }
  const admit = (): void => {
    if (reading >= maxSearches) throw new TooManyRequests('Too many searches at once', RETRY_AFTER_SECONDS)
    reading += 1
  }
  return {
    begin() {
      let isAdmitted = false
      return {
        async read(task) {
          if (!isAdmitted) admit()
          isAdmitted = true
          return inTurn(task)
        },
        end() {
          if (isAdmitted) reading -= 1
          isAdmitted = false
        },
      }
    },
  }
}

/** While the queue is full, searches end continually: one over 500 entities takes five reads. */
const RETRY_AFTER_SECONDS = 1

const unrefWait = (ms: number): Promise<unknown> => wait(ms, undefined, { ref: false })
