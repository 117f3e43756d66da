import { useEffect, useState } from 'preact/hooks'

const NARROW = '(max-width: 1000px)'

/** Whether the bars stand below the names: `entity-list.css` has the same width. */
export const useNarrow = (): boolean => {
  const [isNarrow, setNarrow] = useState(() => matchMedia(NARROW).matches)
  useEffect(() => {
    const query = matchMedia(NARROW)
    const changed = () => setNarrow(query.matches)
    query.addEventListener('change', changed)
    return () => query.removeEventListener('change', changed)
  }, [])
  return isNarrow
}
