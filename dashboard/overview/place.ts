import { useEffect, useState } from 'preact/hooks'
import type { QueryParameters } from '../api/api.ts'
import { useDebounced } from '../api/hooks.ts'
import { SORTS, type Sort } from './entity-rows.ts'

/** The entities to show, and their order. */
export interface ListPlace {
  /** As typed; the query follows with a delay. */
  readonly search: string
  readonly sort: Sort
  readonly perPage: number
  /** From 1. */
  readonly pageNumber: number
  /** The query parameters of the page. */
  readonly query: QueryParameters
  setSearch(search: string): void
  setSort(sort: Sort): void
  setPerPage(perPage: string): void
  nextPage(cursor: string): void
  /** Replaces this page, which has no match, by the one at `cursor`. */
  skipTo(cursor: string): void
  previousPage(): void
}

/**
 * The place in the list, saved in the entry of the browser's history and restored when the user returns to
 * it.
 */
export const useListPlace = (): ListPlace => {
  const [place, setPlace] = useState<SavedPlace>(() => savedPlace(history.state))
  useEffect(() => history.replaceState({ place }, ''), [place])
  const { search, sort, perPage } = place
  const q = useDebounced(search.trim())
  const of = `${perPage} ${q}`
  const { first, cursors } = place.trail.of === of ? place.trail : { first: undefined, cursors: [] }
  const change = (changes: Partial<SavedPlace>) => setPlace((before) => ({ ...before, ...changes }))
  const toPage = (now: readonly string[]) => change({ trail: { of, first, cursors: now } })
  return {
    search,
    sort,
    perPage,
    pageNumber: cursors.length + 1,
    query: { limit: perPage, cursor: cursors.at(-1) ?? first, q: q === '' ? undefined : q },
    setSearch: (typed) => change({ search: typed }),
    setSort: (chosen) => change({ sort: chosen }),
    setPerPage: (named) =>
      change({ perPage: PER_PAGE.find((each) => String(each) === named) ?? PER_PAGE[0] }),
    nextPage: (cursor) => toPage([...cursors, cursor]),
    skipTo: (cursor) =>
      cursors.length === 0
        ? change({ trail: { of, first: cursor, cursors } })
        : toPage([...cursors.slice(0, -1), cursor]),
    previousPage: () => toPage(cursors.slice(0, -1)),
  }
}

export const PER_PAGE = [50, 100, 250, 1000] as const

export interface SavedPlace {
  readonly search: string
  readonly sort: Sort
  readonly perPage: number
  /** The cursors of the pages up to this one; ignored if they belong to another query (`of`). */
  readonly trail: {
    readonly of: string
    /** The cursor of the first page, if empty pages before it were skipped. */
    readonly first: string | undefined
    readonly cursors: readonly string[]
  }
}

/** The place in a state of the browser's history; the first page if there is none. */
export const savedPlace = (state: unknown): SavedPlace => {
  const place = recordOf(recordOf(state).place)
  const trail = recordOf(place.trail)
  return {
    search: textOf(place.search),
    sort: sortOf(place.sort),
    perPage: PER_PAGE.find((each) => each === place.perPage) ?? PER_PAGE[0],
    trail: {
      of: textOf(trail.of),
      first: textOf(trail.first) || undefined,
      cursors: Array.isArray(trail.cursors) ? trail.cursors.map(textOf) : [],
    },
  }
}

export const sortOf = (named: unknown): Sort => SORTS.find(([each]) => each === named)?.[0] ?? 'tree'

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
