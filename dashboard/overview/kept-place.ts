import { SORTS, type Sort } from './list/entity-rows.ts'

export const PER_PAGE = [50, 100, 250, 1000] as const

export interface KeptPlace {
  readonly search: string
  readonly sort: Sort
  readonly perPage: number
  /** Where the pages gone through began; those of another request (`of`) do not count. */
  readonly trail: {
    readonly of: string
    /** Where the first page begins, if what comes before it was skipped. */
    readonly first: string | undefined
    readonly cursors: readonly string[]
  }
}

/** The place in a state of the browser's history; the beginning where there is none. */
export const keptPlace = (state: unknown): KeptPlace => {
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
