import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import { type Api, createApi } from '../api/api.ts'
import { ApiError, asError } from '../api/errors.ts'
import type { OwnLimits, Session } from '../api/responses.ts'
import { SessionProvider } from '../api/session.tsx'
import { Frame } from './frame.tsx'
import { KeyHolder } from './key-holder.tsx'
import { forgetToken, readToken, SignIn, storeToken } from './sign-in.tsx'

type SignInState =
  | { readonly state: 'checking' }
  | { readonly state: 'signed-out'; readonly error: string | undefined }
  | { readonly state: 'signed-in'; readonly session: Session }
  /** With an API key, which shows its own quota only. */
  | { readonly state: 'key-holder'; readonly entityId: string }

const SIGNED_OUT: SignInState = { state: 'signed-out', error: undefined }

/** The sign-in form, or the view of the current route once signed in. */
export const Dashboard = () => {
  const [token, setToken] = useState(readToken)
  const [attempts, setAttempts] = useState(0)
  const [state, setState] = useState<SignInState>(token ? { state: 'checking' } : SIGNED_OUT)
  const signOut = useCallback((error?: string) => {
    forgetToken()
    setToken(undefined)
    setState({ state: 'signed-out', error })
  }, [])
  const api = useMemo(
    () =>
      createApi(token ?? '', () => signOut('This token is not valid, or no longer valid. Sign in again.')),
    [token],
  )
  useEffect(() => {
    if (token === undefined) return
    signIn(api).then(setState, (error: unknown) => {
      if (mayStillBeValid(error)) setState({ state: 'signed-out', error: asError(error).message })
      else signOut(rejectionText(asError(error)))
    })
  }, [api, attempts])

  if (state.state === 'signed-out') {
    const accept = (given: string) => {
      storeToken(given)
      setToken(given)
      setAttempts(attempts + 1)
      setState({ state: 'checking' })
    }
    return <SignIn token={token ?? ''} error={state.error} onToken={accept} />
  }
  if (state.state === 'checking')
    return (
      <p class="sign-in-note" role="status">
        Signing in…
      </p>
    )
  if (state.state === 'key-holder')
    return <KeyHolder api={api} entityId={state.entityId} onSignOut={() => signOut()} />
  const { session } = state
  const signedIn = { ...session, api, mayWrite: session.role === 'admin', signOut: () => signOut() }
  return (
    <SessionProvider value={signedIn}>
      <Frame />
    </SessionProvider>
  )
}

/** The session of a token, or the entity of an API key, which is 403 on every route of administrators. */
const signIn = async (api: Api): Promise<SignInState> => {
  try {
    return { state: 'signed-in', session: await api.get<Session>('api/dashboard/session') }
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error
    const { entity_id } = await api.get<OwnLimits>('v1/limits')
    return { state: 'key-holder', entityId: entity_id }
  }
}

/**
 * Whether the API was not reached, or failed: the token may still be valid, so it is kept for the next
 * attempt.
 */
const mayStillBeValid = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500)

const rejectionText = (error: Error): string => {
  if (!(error instanceof ApiError)) return error.message
  if (error.status === 401)
    return 'This is neither the admin token nor the viewer token, and no valid API key. Check it and sign in again.'
  return error.message
}
