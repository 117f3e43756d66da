import { useEffect, useState } from 'preact/hooks'
import { Notice } from '../parts/notice.tsx'
import { Mark } from './mark.tsx'
import { SIGN_IN_TITLE } from './title.ts'

interface Props {
  readonly error: string | undefined
  onToken(token: string): void
}

export const SignIn = ({ error, onToken }: Props) => {
  const [token, setToken] = useState('')
  useEffect(() => {
    document.title = SIGN_IN_TITLE
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
        <label class="field">
          <span class="field-label">Admin or viewer token</span>
          <input
            type="password"
            name="token"
            autocomplete="current-password"
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
          <span class="field-hint">
            <code>npm start</code> prints a link that signs you in. On AWS the tokens are in Secrets Manager;
            the stack’s outputs name them. It is kept until this tab is closed.
          </span>
        </label>
        {error !== undefined && <Notice kind="error">{error}</Notice>}
        <button class="button primary" type="submit">
          Sign in
        </button>
      </form>
    </main>
  )
}
