/** What the address shows; it stands behind the `#`, so the page works wherever it is served. */
export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'entity'; readonly id: string }
  | { readonly view: 'try'; readonly id: string | undefined }
  | { readonly view: 'policy-check' | 'policies' | 'defaults' | 'stats' }

const PLAIN = ['overview', 'policy-check', 'policies', 'defaults', 'stats'] as const

/** `hash` as the browser gives it. What is not known is the overview. */
export const parseRoute = (hash: string): Route => {
  const [first = '', second] = hash.replace(/^#\/?/, '').split('/')
  if (first === 'entity' && second) return { view: 'entity', id: decoded(second) }
  if (first === 'try') return { view: 'try', id: second ? decoded(second) : undefined }
  return { view: PLAIN.find((view) => view === first) ?? 'overview' }
}

export const hrefOf = (route: Route): string => {
  const id = 'id' in route && route.id !== undefined ? `/${encodeURIComponent(route.id)}` : ''
  return `#/${route.view}${id}`
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
