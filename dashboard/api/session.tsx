import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Api } from './api.ts'
import type { Session } from './responses.ts'

/** The signed-in administrator or viewer. */
export interface SignedIn extends Session {
  readonly api: Api
  /** Whether the role is `admin`, which may write. */
  readonly mayWrite: boolean
  signOut(): void
}

const SessionContext = createContext<SignedIn | undefined>(undefined)
export const SessionProvider = SessionContext.Provider

/** The session; throws outside `SessionProvider`. */
export const useSession = (): SignedIn => {
  const session = useContext(SessionContext)
  if (session === undefined) throw new Error('no one is signed in')
  return session
}
