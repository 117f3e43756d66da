import { useEffect, useState } from 'preact/hooks'
import { parseRoute, type Route } from './route.ts'

/** The route of the address, and of those it changes to. */
export const useRoute = (): Route => {
  const [route, setRoute] = useState(() => parseRoute(location.hash))
  useEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash))
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return route
}
