import type { EntitySection, Route } from './route.ts'

/** The views that the navigation leads to. */
export const VIEW_NAMES = {
  overview: 'Overview',
  try: 'Try it',
  'policy-check': 'Policy check',
  policies: 'Policies',
  defaults: 'Defaults',
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

/** The name of a view in the tab, in the history and for screen readers: `key-bob, Usage · zael`. */
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
