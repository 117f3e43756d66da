import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import { createApi } from '../api/api.ts'
import { ApiError, asError } from '../api/errors.ts'
import type { Session } from '../api/responses.ts'
import { SessionProvider } from '../api/session.tsx'
import { Frame } from './frame.tsx'
import { forgetToken, keepToken, readToken, SignIn } from './sign-in.tsx'

type Entrance =
  | { readonly state: 'asking' }
  | { readonly state: 'outside'; readonly error: string | undefined }
  | { readonly state: 'inside'; readonly session: Session }

const OUTSIDE: Entrance = { state: 'outside', error: undefined }

/** The sign-in, or the view of the address once signed in. */
export const Dashboard = () => {
  const [token, setToken] = useState(readToken)
  const [tries, setTries] = useState(0)
  const [entrance, setEntrance] = useState<Entrance>(token ? { state: 'asking' } : OUTSIDE)
  const leave = useCallback((error?: string) => {
    forgetToken()
    setToken(undefined)
    setEntrance({ state: 'outside', error })
  }, [])
  const api = useMemo(
    () => createApi(token ?? '', () => leave('This token is not valid, or no longer valid. Sign in again.')),
    [token],
  )
  useEffect(() => {
    if (token === undefined) return
    api.get<Session>('api/dashboard/session').then(
      (session) => setEntrance({ state: 'inside', session }),
      (error: unknown) => {
        if (saysNothingOfToken(error)) setEntrance({ state: 'outside', error: asError(error).message })
        else leave(refusal(asError(error)))
      },
    )
  }, [api, tries])

  if (entrance.state === 'outside') {
    const enter = (given: string) => {
      keepToken(given)
      setToken(given)
      setTries(tries + 1)
      setEntrance({ state: 'asking' })
    }
    return <SignIn token={token ?? ''} error={entrance.error} onToken={enter} />
  }
  if (entrance.state === 'asking')
    return (
      <p class="sign-in-note" role="status">
        Signing in…
      </p>
    )
  const { session } = entrance
  const signedIn = { ...session, api, mayWrite: session.role === 'admin', signOut: () => leave() }
  return (
    <SessionProvider value={signedIn}>
      <Frame />
    </SessionProvider>
  )
}

/** The API was not reached, or failed: the token may still be valid, so it is kept for the next try. */
const saysNothingOfToken = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500)

const refusal = (error: Error): string => {
  if (!(error instanceof ApiError)) return error.message
  if (error.status === 401)
    return 'This is neither the admin token nor the viewer token. Check it and sign in again.'
  if (error.status === 403)
    return 'This is a caller’s API key. The page needs the admin token or the viewer token.'
  return error.message
}
