import { useEffect } from 'preact/hooks'
import type { Api } from '../api/api.ts'
import { MyQuota } from '../my-quota/my-quota.tsx'
import { MY_QUOTA_TITLE } from '../parts/route.ts'
import { ThemeChoice } from './frame.tsx'
import { Logo } from './sign-in.tsx'

interface KeyHolderProps {
  readonly api: Api
  readonly entityId: string
  onSignOut(): void
}

/** The only view of a key holder: what is left of their limits, and what they used. */
export const KeyHolder = ({ api, entityId, onSignOut }: KeyHolderProps) => {
  useEffect(() => {
    document.title = MY_QUOTA_TITLE
  }, [])
  return (
    <div class="frame alone">
      <header class="top">
        <span class="brand">
          <Logo /> zael
        </span>
        <div class="account">
          <span class="tag wide-only">API key</span>
          <ThemeChoice />
          <button class="button" type="button" onClick={onSignOut}>
            Sign out
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <MyQuota api={api} entityId={entityId} />
      </main>
    </div>
  )
}
