import { useEffect, useState } from 'preact/hooks'

const NARROW = '(max-width: 760px)'

/** Whether the window is as narrow as a phone, as the style sheets see it. */
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
