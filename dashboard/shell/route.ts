/** The parts of an entity's view; the first one is the default. */
export const ENTITY_SECTIONS = ['limits', 'keys', 'usage', 'children', 'audit'] as const
export type EntitySection = (typeof ENTITY_SECTIONS)[number]

/** What the address shows; it stands behind the `#`, so the page works wherever it is served. */
export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'entity'; readonly id: string; readonly section?: EntitySection }
  | { readonly view: 'try'; readonly id: string | undefined }
  | { readonly view: 'policy-check' | 'policies' | 'defaults' | 'stats' }
  /** No view has this address. */
  | { readonly view: 'unknown'; readonly address: string }

const PLAIN = ['overview', 'policy-check', 'policies', 'defaults', 'stats'] as const

/** `hash` as the browser gives it; none is the overview. */
export const parseRoute = (hash: string): Route => {
  const address = hash.replace(/^#\/?/, '').replace(/\/$/, '')
  const [first = '', ...rest] = address.split('/')
  return routeOf(first, rest) ?? { view: 'unknown', address }
}

const routeOf = (first: string, [second, third, ...more]: readonly string[]): Route | undefined => {
  if (first === 'entity' && second && more.length === 0) return entityRoute(decoded(second), third)
  if (first === 'try' && third === undefined) return { view: 'try', id: second ? decoded(second) : undefined }
  if (second !== undefined) return undefined
  const view = first === '' ? 'overview' : PLAIN.find((each) => each === first)
  return view && { view }
}

const entityRoute = (id: string, third: string | undefined): Route | undefined => {
  if (third === undefined) return { view: 'entity', id }
  const section = ENTITY_SECTIONS.find((known) => known === third)
  return section && { view: 'entity', id, section }
}

export const hrefOf = (route: Route): string => {
  const section = 'section' in route && route.section !== undefined ? `/${route.section}` : ''
  return `${viewHrefOf(route)}${section}`
}

/** The address of the view that a route shows a part of. */
export const viewHrefOf = (route: Route): string => {
  if (route.view === 'unknown') return `#/${route.address}`
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
