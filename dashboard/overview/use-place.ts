import { useState } from 'preact/hooks'
import type { Query } from '../api/api.ts'
import { useSettled } from '../parts/suggesting/use-settled.ts'
import { SORTS, type Sort } from './list/entity-rows.ts'

/** Which entities are looked at, and in which order. */
export interface Place {
  /** As it is typed; it is asked for when the typing rests. */
  readonly search: string
  readonly sort: Sort
  readonly perPage: number
  /** From 1. */
  readonly pageNumber: number
  /** What the server is asked for. */
  readonly query: Query
  setSearch(search: string): void
  setSort(sort: string): void
  setPerPage(perPage: string): void
  toNext(cursor: string): void
  toPrevious(): void
}

export const PER_PAGE = [50, 100, 250, 1000] as const

export const usePlace = (): Place => {
  const [search, setSearch] = useState('')
  const [sort, setSort] = useState<Sort>('tree')
  const [perPage, setPerPage] = useState<number>(PER_PAGE[0])
  const q = useSettled(search.trim())
  const [cursors, setCursors] = useCursors(`${perPage} ${q}`)
  return {
    search,
    sort,
    perPage,
    pageNumber: cursors.length + 1,
    query: { limit: perPage, cursor: cursors.at(-1), q: q === '' ? undefined : q },
    setSearch,
    setSort: (named) => setSort(SORTS.find(([each]) => each === named)?.[0] ?? 'tree'),
    setPerPage: (named) => setPerPage(Number(named)),
    toNext: (cursor) => setCursors([...cursors, cursor]),
    toPrevious: () => setCursors(cursors.slice(0, -1)),
  }
}

/** Where the pages gone through began; another request (`of`) begins at the first page. */
const useCursors = (of: string) => {
  const [kept, setKept] = useState<{ readonly of: string; readonly cursors: readonly string[] }>({
    of,
    cursors: [],
  })
  const cursors = kept.of === of ? kept.cursors : []
  return [cursors, (now: readonly string[]) => setKept({ of, cursors: now })] as const
}
