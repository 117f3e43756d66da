import { useEffect, useState } from 'preact/hooks'
import type { Query } from '../api/api.ts'
import { useSettled } from '../parts/suggesting/use-settled.ts'
import { type KeptPlace, keptPlace, PER_PAGE, sortOf } from './kept-place.ts'
import type { Sort } from './list/entity-rows.ts'

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
  /** Shows the page that begins at `cursor` in place of this one, which holds nothing that was searched for. */
  skipTo(cursor: string): void
  toPrevious(): void
}

/** A place is kept in the entry of the browser's history, and restored on the way back. */
export const usePlace = (): Place => {
  const [place, setPlace] = useState<KeptPlace>(() => keptPlace(history.state))
  useEffect(() => history.replaceState({ place }, ''), [place])
  const { search, sort, perPage } = place
  const q = useSettled(search.trim())
  const of = `${perPage} ${q}`
  const { first, cursors } = place.trail.of === of ? place.trail : { first: undefined, cursors: [] }
  const change = (changes: Partial<KeptPlace>) => setPlace((before) => ({ ...before, ...changes }))
  const toPage = (now: readonly string[]) => change({ trail: { of, first, cursors: now } })
  return {
    search,
    sort,
    perPage,
    pageNumber: cursors.length + 1,
    query: { limit: perPage, cursor: cursors.at(-1) ?? first, q: q === '' ? undefined : q },
    setSearch: (typed) => change({ search: typed }),
    setSort: (named) => change({ sort: sortOf(named) }),
    setPerPage: (named) =>
      change({ perPage: PER_PAGE.find((each) => String(each) === named) ?? PER_PAGE[0] }),
    toNext: (cursor) => toPage([...cursors, cursor]),
    skipTo: (cursor) =>
      cursors.length === 0
        ? change({ trail: { of, first: cursor, cursors } })
        : toPage([...cursors.slice(0, -1), cursor]),
    toPrevious: () => toPage(cursors.slice(0, -1)),
  }
}
