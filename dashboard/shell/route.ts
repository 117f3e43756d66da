/** The parts of an entity's view; the first one shows unless told. */
export const ENTITY_SECTIONS = ['limits', 'keys', 'usage', 'children', 'audit'] as const
export type EntitySection = (typeof ENTITY_SECTIONS)[number]

/** What the address shows; it stands behind the `#`, so the page works wherever it is served. */
export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'entity'; readonly id: string; readonly section?: EntitySection }
  | { readonly view: 'try'; readonly id: string | undefined }
  | { readonly view: 'policy-check' | 'policies' | 'defaults' | 'stats' }

const PLAIN = ['overview', 'policy-check', 'policies', 'defaults', 'stats'] as const

/** `hash` as the browser gives it. What is not known is the overview. */
export const parseRoute = (hash: string): Route => {
  const [first = '', second, third] = hash.replace(/^#\/?/, '').split('/')
  if (first === 'entity' && second) return entityRoute(decoded(second), third)
  if (first === 'try') return { view: 'try', id: second ? decoded(second) : undefined }
  return { view: PLAIN.find((view) => view === first) ?? 'overview' }
}

const entityRoute = (id: string, third: string | undefined): Route => {
  const section = ENTITY_SECTIONS.find((known) => known === third)
  return { view: 'entity', id, ...(section && { section }) }
}

export const hrefOf = (route: Route): string => {
  const section = 'section' in route && route.section !== undefined ? `/${route.section}` : ''
  return `${viewHrefOf(route)}${section}`
}

/** The address of the view that a route shows a part of. */
export const viewHrefOf = (route: Route): string => {
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
