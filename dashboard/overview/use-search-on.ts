import { useEffect, useState } from 'preact/hooks'
import type { LivePage } from './live/use-live-page.ts'
import type { Place } from './use-place.ts'

/** The server gives up a page after many entities that do not match: the next one is asked for after a pause. */
const PAUSE_MS = 500
/** After so many pages that hold nothing the search goes on only when it is told to. */
const MOST_SKIPPED = 20

export interface SearchOn {
  readonly isSearching: boolean
  /** Searches so many pages again. */
  goOn(): void
}

/** Goes on with a search while its pages are empty, each in place of the one before. */
export const useSearchOn = (place: Place, { page, isOld }: Pick<LivePage, 'page' | 'isOld'>): SearchOn => {
  const [skipped, setSkipped] = useState(0)
  const { q } = place.query
  useEffect(() => setSkipped(0), [q])
  const isEmpty = q !== undefined && page?.entities.size === 0
  const next = isEmpty && !isOld ? page.nextCursor : null
  const isSearching = isEmpty && page.nextCursor !== null && skipped < MOST_SKIPPED
  useEffect(() => {
    if (next === null || skipped >= MOST_SKIPPED) return
    const timer = setTimeout(() => {
      setSkipped(skipped + 1)
      place.skipTo(next)
    }, PAUSE_MS)
    return () => clearTimeout(timer)
  }, [next, skipped])
  return { isSearching, goOn: () => setSkipped(0) }
}
