import { useEffect, useRef, useState } from 'preact/hooks'
import { useSession } from '../api/session.tsx'
import { hrefOf, type Route, titleOf, useRoute, VIEW_NAMES, viewHrefOf } from '../parts/route.ts'
import { Logo } from './sign-in.tsx'
import { View } from './view.tsx'

/** The header, the navigation and the current view. */
export const Frame = () => {
  const route = useRoute()
  const main = useFocusOnChange(route)
  const title = titleOf(route)
  useEffect(() => {
    document.title = title
  }, [title])
  return (
    <div class="frame">
      <button class="skip" type="button" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href={hrefOf({ view: 'overview' })}>
          <Logo /> zael
        </a>
        <Account />
      </header>
      <Navigation current={route} />
      <main id="main" ref={main} tabIndex={-1}>
        <View route={route} />
      </main>
    </div>
  )
}

const Account = () => {
  const { role, node_id, signOut } = useSession()
  return (
    <div class="account">
      {node_id !== null && <span class="quiet wide-only">node {node_id}</span>}
      <span class="tag" title={role === 'admin' ? 'Can read and write' : 'Can only read'}>
        {role}
      </span>
      <ThemeChoice />
      <button class="button" type="button" onClick={signOut}>
        Sign out
      </button>
    </div>
  )
}

/**
 * Moves the focus into a new view, so that keyboard users continue there and not at the top of the document.
 */
const useFocusOnChange = (route: Route) => {
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)
  useEffect(() => {
    if (!isFirst.current) {
      main.current?.focus({ preventScroll: true })
      scrollTo(0, 0)
    }
    isFirst.current = false
  }, [viewHrefOf(route)])
  return main
}

const NAVIGATION_ROUTES: readonly Exclude<Route, { view: 'entity' | 'unknown' }>[] = [
  { view: 'overview' },
  { view: 'try', id: undefined },
  { view: 'policy-check' },
  { view: 'policies' },
  { view: 'defaults' },
  { view: 'alerts' },
  { view: 'stats' },
]

/** Entities belong to the overview. */
const isCurrent = (current: Route, place: Route): boolean =>
  place.view === (current.view === 'entity' ? 'overview' : current.view)

export const Navigation = ({ current }: { readonly current: Route }) => (
  <nav class="navigation" aria-label="Views">
    <ul>
      {NAVIGATION_ROUTES.map((route) => (
        <li key={route.view}>
          <a href={hrefOf(route)} aria-current={isCurrent(current, route) ? 'page' : undefined}>
            {VIEW_NAMES[route.view]}
          </a>
        </li>
      ))}
    </ul>
  </nav>
)

const THEMES = ['auto', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]

const NAMES: Readonly<Record<Theme, string>> = { auto: 'Auto', light: 'Light', dark: 'Dark' }
const THEME_KEY = 'zael-theme'

const storedTheme = (): Theme => THEMES.find((theme) => theme === localStorage.getItem(THEME_KEY)) ?? 'auto'

/** The theme chosen in this browser; by default that of the system. */
export const ThemeChoice = () => {
  const [theme, setTheme] = useState(storedTheme)
  useEffect(() => {
    document.documentElement.dataset.theme = theme
    localStorage.setItem(THEME_KEY, theme)
  }, [theme])
  return (
    <label class="theme-choice">
      <span class="unseen">Theme</span>
      <select
        value={theme}
        onChange={(event) => setTheme(THEMES.find((each) => each === event.currentTarget.value) ?? 'auto')}
      >
        {THEMES.map((each) => (
          <option key={each} value={each}>
            {NAMES[each]}
          </option>
        ))}
      </select>
    </label>
  )
}
