import { hrefOf, type Route } from './route.ts'

const PLACES: readonly (readonly [Route, string])[] = [
  [{ view: 'overview' }, 'Overview'],
  [{ view: 'try', id: undefined }, 'Try it'],
  [{ view: 'policy-check' }, 'Policy check'],
  [{ view: 'policies' }, 'Policies'],
  [{ view: 'defaults' }, 'Defaults'],
  [{ view: 'stats' }, 'Stats'],
]

/** An entity is found by the overview. */
const isAt = (current: Route, place: Route): boolean =>
  place.view === (current.view === 'entity' ? 'overview' : current.view)

export const Navigation = ({ current }: { readonly current: Route }) => (
  <nav class="navigation" aria-label="Views">
    <ul>
      {PLACES.map(([route, name]) => (
        <li key={route.view}>
          <a href={hrefOf(route)} aria-current={isAt(current, route) ? 'page' : undefined}>
            {name}
          </a>
        </li>
      ))}
    </ul>
  </nav>
)
