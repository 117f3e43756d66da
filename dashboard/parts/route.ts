import { useEffect, useState } from 'preact/hooks'

/** The sections of an entity; the first one is the default. */
export const ENTITY_SECTIONS = ['limits', 'keys', 'usage', 'children', 'audit'] as const
export type EntitySection = (typeof ENTITY_SECTIONS)[number]

/** The view of an address. Routes are in the fragment, so the dashboard works at any path. */
export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'entity'; readonly id: string; readonly section?: EntitySection }
  | { readonly view: 'try'; readonly id: string | undefined }
  | { readonly view: 'policy-check' | 'policies' | 'defaults' | 'alerts' | 'stats' }
  /** An address without a view. */
  | { readonly view: 'unknown'; readonly address: string }

const SIMPLE_VIEWS = ['overview', 'policy-check', 'policies', 'defaults', 'alerts', 'stats'] as const

/** Parses `location.hash`; an empty one is the overview. */
export const parseRoute = (hash: string): Route => {
  const address = hash.replace(/^#\/?/, '').replace(/\/$/, '')
  const [first = '', ...rest] = address.split('/')
  return routeOf(first, rest) ?? { view: 'unknown', address }
}

const routeOf = (first: string, [second, third, ...more]: readonly string[]): Route | undefined => {
  if (first === 'entity' && second && more.length === 0) return entityRoute(decoded(second), third)
  if (first === 'try' && third === undefined) return { view: 'try', id: second ? decoded(second) : undefined }
  if (second !== undefined) return undefined
  const view = first === '' ? 'overview' : SIMPLE_VIEWS.find((each) => each === first)
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

/** The address of a route without its section. */
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

/** The route of the current address. */
export const useRoute = (): Route => {
  const [route, setRoute] = useState(() => parseRoute(location.hash))
  useEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash))
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return route
}

/** The views of the navigation. */
export const VIEW_NAMES = {
  overview: 'Overview',
  try: 'Try it',
  'policy-check': 'Policy check',
  policies: 'Policies',
  defaults: 'Defaults',
  alerts: 'Alerts',
  stats: 'Stats',
} as const

export const SECTION_NAMES: Readonly<Record<EntitySection, string>> = {
  limits: 'Limits',
  keys: 'Keys',
  usage: 'Usage',
  children: 'Children',
  audit: 'Audit',
}

export const SIGN_IN_TITLE = 'Sign in · zael'

/** The title for a key holder, who has no other view. */
export const MY_QUOTA_TITLE = 'My quota · zael'

/** The title of the document: `key-bob, Usage · zael`. */
export const titleOf = (route: Route): string => `${nameOf(route)} · zael`

const nameOf = (route: Route): string => {
  switch (route.view) {
    case 'entity':
      return `${route.id}, ${SECTION_NAMES[route.section ?? 'limits']}`
    case 'try':
      return route.id === undefined ? VIEW_NAMES.try : `${VIEW_NAMES.try}, ${route.id}`
    case 'unknown':
      return 'Page not found'
    default:
      return VIEW_NAMES[route.view]
  }
}
