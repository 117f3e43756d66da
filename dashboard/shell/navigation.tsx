import { hrefOf, type Route } from './route.ts'
import { VIEW_NAMES } from './title.ts'

const PLACES: readonly Exclude<Route, { view: 'entity' | 'unknown' }>[] = [
  { view: 'overview' },
  { view: 'try', id: undefined },
  { view: 'policy-check' },
  { view: 'policies' },
  { view: 'defaults' },
  { view: 'stats' },
]

/** An entity is found by the overview. */
const isAt = (current: Route, place: Route): boolean =>
  place.view === (current.view === 'entity' ? 'overview' : current.view)

export const Navigation = ({ current }: { readonly current: Route }) => (
  <nav class="navigation" aria-label="Views">
    <ul>
      {PLACES.map((route) => (
        <li key={route.view}>
          <a href={hrefOf(route)} aria-current={isAt(current, route) ? 'page' : undefined}>
            {VIEW_NAMES[route.view]}
          </a>
        </li>
      ))}
    </ul>
  </nav>
)
