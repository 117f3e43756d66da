import { useEffect, useState } from 'preact/hooks'
import type { DashboardEntities } from '../../api/answers.ts'
import { type Api, type Query, withQuery } from '../../api/api.ts'
import { useSession } from '../../api/session.tsx'
import { browserWait, whileVisible } from '../../live/browser-wait.ts'
import { type Connection, follow, type Source } from '../../live/follow.ts'
import { createPollSource } from '../../live/poll-source.ts'
import { createStreamSource } from '../../live/stream-source.ts'
import { type EntityChanges, type EntityPage, pageAfter } from './entity-page.ts'

const POLL_MS = 2000
/** A tab that nobody looks at keeps its stream for so long. */
const HIDDEN_STREAM_MS = 60_000

export interface LivePage {
  /** Of the request before until the first answer to this one. */
  readonly page: EntityPage | undefined
  /** `page` answers another request. */
  readonly isOld: boolean
  readonly connection: Connection
}

/** The page that `query` asks for (`limit`, `cursor`, `q`), kept up to date while someone looks. */
export const useLivePage = (query: Query): LivePage => {
  const { api, streams } = useSession()
  const [connection, setConnection] = useState<Connection>({ state: 'connecting' })
  const [shown, setShown] = useState<{ readonly key: string; readonly page: EntityPage } | undefined>()
  const key = withQuery('', query)
  useEffect(() => {
    const source = streams ? streamed(api, query) : polled(api, query)
    return whileVisible(streams ? HIDDEN_STREAM_MS : 0, (signal) => {
      let page: EntityPage | undefined
      const onEvent = (changes: EntityChanges) => {
        page = pageAfter(page, changes)
        setShown({ key, page })
      }
      const connected = streams ? 'live' : 'polling'
      const { now } = Date
      const { random } = Math
      const onConnection = setConnection
      void follow({ source, connected, onEvent, onConnection, wait: browserWait, now, random }, signal)
    })
  }, [api, streams, key])
  return { page: shown?.page, isOld: shown?.key !== key, connection }
}

const polled = (api: Api, query: Query): Source<EntityChanges> =>
  createPollSource((signal) => api.get<DashboardEntities>('api/dashboard/entities', query, signal), POLL_MS)

const streamed = (api: Api, query: Query): Source<EntityChanges> => {
  const source = createStreamSource(api, withQuery('api/dashboard/stream', query))
  return (signal, hear) =>
    source(signal, ({ event, data }) => {
      // The server's tests hold the event against the schema that EntityChanges is made of.
      if (event === 'entities') hear(JSON.parse(data) as EntityChanges)
    })
}
