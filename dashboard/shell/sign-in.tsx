import { useEffect, useRef, useState } from 'preact/hooks'
import { Notice } from '../parts/notice.tsx'
import { Mark } from './mark.tsx'
import { SIGN_IN_TITLE } from './title.ts'

interface Props {
  /** The token of a try that failed for another reason; '' otherwise. */
  readonly token: string
  readonly error: string | undefined
  onToken(token: string): void
}

export const SignIn = ({ token: initial, error, onToken }: Props) => {
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
          <Mark /> zael
        </h1>
        <p class="quiet">See every limit live, try requests, and manage entities, keys and policies.</p>
        <div class="field">
          <label class="field-label" for="token">
            Admin or viewer token
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
            the stack’s outputs name them. The token is kept until this tab is closed.
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
