import * as v from 'valibot'
import { median } from '../measure.ts'
import { seedEntities } from '../seed-entities.ts'
import { addCaller, type OtherCaller } from './other-caller.ts'
import { startZael, VIEWER_TOKEN, type ZaelServer } from './servers.ts'

export interface SearchRow {
  readonly search: string
  /** How the other caller's decisions are made. */
  readonly decisions: Decisions
  /** Pages that all searchers together received. */
  readonly pagesPerSecond: number
  readonly p50AloneMs: number
  readonly p50SearchedMs: number
}

export interface SearchOptions {
  readonly entities: number
  readonly searchers: number
  readonly seconds: number
  readonly rounds: number
}

type Decisions = 'leased' | 'exact'

interface Search {
  readonly name: string
  readonly path: string
  /** The search text of this searcher. No id starts with it, so a search reads every entity. */
  text(searcher: number): string
}

const SEARCHES: readonly Search[] = [
  { name: 'entities, none is found', path: '/api/entities', text: (searcher) => `nothing-${searcher}` },
  {
    name: 'overview, 1 in 100 is found',
    path: '/api/dashboard/entities',
    text: (searcher) => `-${10 + searcher}`,
  },
]

/** Measures another caller while viewers search all entities, page after page, repeatedly. */
export const measureSearches = async (
  options: SearchOptions,
  onProgress: (text: string) => void,
): Promise<readonly SearchRow[]> => {
  const zael = await startZael()
  try {
    onProgress(`${options.entities} entities`)
    await seedEntities(zael.tableUrl, 'bench', options.entities)
    const callers: readonly (readonly [Decisions, OtherCaller])[] = [
      ['leased', await addCaller(zael, 'leased', 'sk-bench-leased-0123456789')],
      ['exact', await addCaller(zael, 'exact', 'sk-bench-exact-0123456789', { lease_ttl_seconds: 0 })],
    ]
    const rows: SearchRow[] = []
    for (const search of SEARCHES)
      for (const [decisions, other] of callers) {
        onProgress(`${search.name}, ${decisions}`)
        await other.p50Ms(1)
        rows.push({ ...(await measureSearch({ zael, other, search }, options)), decisions })
      }
    return rows
  } finally {
    await zael.stop()
  }
}

interface Scene {
  readonly zael: ZaelServer
  readonly other: OtherCaller
  readonly search: Search
}

const measureSearch = async (
  { zael, other, search }: Scene,
  { searchers, seconds, rounds }: SearchOptions,
): Promise<Omit<SearchRow, 'decisions'>> => {
  const turns: { alone: number; searched: number; pages: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const alone = await other.p50Ms(seconds)
    const end = performance.now() + seconds * 1000
    const loops = Array.from({ length: searchers }, (_, searcher) => searchUntil(end, zael, search, searcher))
    const [searched, ...pages] = await Promise.all([other.p50Ms(seconds), ...loops])
    turns.push({ alone, searched, pages: pages.reduce((sum, count) => sum + count, 0) })
  }
  return {
    search: search.name,
    pagesPerSecond: median(turns.map(({ pages }) => pages)) / seconds,
    p50AloneMs: median(turns.map(({ alone }) => alone)),
    p50SearchedMs: median(turns.map(({ searched }) => searched)),
  }
}

const pageResponse = v.object({ next_cursor: v.nullable(v.string()) })

/** The number of pages that one searcher received. */
const searchUntil = async (
  end: number,
  { url }: ZaelServer,
  { path, text }: Search,
  searcher: number,
): Promise<number> => {
  let pages = 0
  for (let cursor: string | null = null; performance.now() < end; pages++) {
    const query = new URLSearchParams({ q: text(searcher), limit: '50', ...(cursor !== null && { cursor }) })
    const response = await fetch(`${url}${path}?${query}`, {
      headers: { authorization: `Bearer ${VIEWER_TOKEN}` },
    })
    if (!response.ok) throw new Error(`a search returned ${response.status}`)
    cursor = v.parse(pageResponse, await response.json()).next_cursor
  }
  return pages
}
