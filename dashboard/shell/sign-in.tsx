import { useEffect, useRef, useState } from 'preact/hooks'
import { Notice } from '../parts/notices.tsx'
import { SIGN_IN_TITLE } from '../parts/route.ts'

interface SignInProps {
  /** The token of an attempt that failed although the token may be valid; '' otherwise. */
  readonly token: string
  readonly error: string | undefined
  onToken(token: string): void
}

export const SignIn = ({ token: initial, error, onToken }: SignInProps) => {
  const [token, setToken] = useState(initial)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    document.title = SIGN_IN_TITLE
    // The button that had the focus was removed while the token was checked.
    if (error !== undefined) field.current?.focus()
  }, [])
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (token.trim() !== '') onToken(token.trim())
  }
  return (
    <main class="sign-in">
      <form class="card sign-in-card" onSubmit={submit}>
        <h1>
          <Logo /> zael
        </h1>
        <p class="quiet">See every limit live, try requests, and manage entities, keys and policies.</p>
        <div class="field">
          <label class="field-label" for="token">
            Admin or viewer token, or an API key
          </label>
          <input
            id="token"
            ref={field}
            aria-describedby="token-note"
            type="password"
            name="token"
            autocomplete="current-password"
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
          <span id="token-note" class="field-hint">
            <code>npm start</code> prints a link that signs you in. On AWS the tokens are in Secrets Manager;
            the stack’s outputs name them. An API key shows what is left of its quota. Both are kept until
            this tab is closed, and are sent to this API only.
          </span>
        </div>
        {error !== undefined && <Notice kind="error">{error}</Notice>}
        <button class="button primary" type="submit">
          Sign in
        </button>
      </form>
    </main>
  )
}

/** The logo: a bucket that is half full. */
export const Logo = () => (
  <svg class="mark" viewBox="0 0 16 16" width="24" height="24" aria-hidden="true">
    <rect width="16" height="16" rx="4" fill="currentColor" />
    <path class="mark-bucket" d="M4 3h8v10H4z" />
    <path class="mark-fill" d="M4.7 7h6.6v5.3H4.7z" />
  </svg>
)

const TOKEN_KEY = 'zael-token'

/**
 * The token of this tab: from `#token=…` in the address, which is never sent to a server and is removed from the address,
 * or from the session storage, which ends with the tab.
 */
export const readToken = (): string | undefined => {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (token) {
    history.replaceState(null, '', location.pathname + location.search)
    storeToken(token)
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? undefined
}

export const storeToken = (token: string): void => sessionStorage.setItem(TOKEN_KEY, token)
export const forgetToken = (): void => sessionStorage.removeItem(TOKEN_KEY)
