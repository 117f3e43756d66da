import { useEffect, useRef } from 'preact/hooks'
import { useSession } from '../api/session.tsx'
import { Mark } from './mark.tsx'
import { Navigation } from './navigation.tsx'
import { hrefOf, type Route, viewHrefOf } from './route.ts'
import { ThemeChoice } from './theme.tsx'
import { titleOf } from './title.ts'
import { useRoute } from './use-route.ts'
import { View } from './view.tsx'

/** What stands around every view. */
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
          <Mark /> zael
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

/** Moves the focus into a new view, so that keyboard users continue there and not at the top of the page. */
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
