import { useEffect, useState } from 'preact/hooks'
import { type Api, type QueryParameters, withQuery } from '../api/api.ts'
import type { DashboardEntities, DashboardEntity } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { type Connection, follow, type Source } from '../live/follow.ts'
import { browserDelay, createPollSource, createStreamSource } from '../live/sources.ts'
import { spanText } from '../parts/time.ts'

const POLL_MS = 2000

/** A hidden tab keeps its stream for this long. */
const HIDDEN_STREAM_MS = 60_000

export interface LivePage {
  /** The page of the previous query until the first response to this one. */
  readonly page: EntityPage | undefined
  /** Whether `page` is that of the previous query. */
  readonly isStale: boolean
  readonly connection: Connection
}

/** The page of `query` (`limit`, `cursor`, `q`), kept up to date while the tab is visible. */
export const useLivePage = (query: QueryParameters): LivePage => {
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
      void follow({ source, connected, onEvent, onConnection, wait: browserDelay, now, random }, signal)
    })
  }, [api, streams, key])
  return { page: shown?.page, isStale: shown?.key !== key, connection }
}

const polled = (api: Api, query: QueryParameters): Source<EntityChanges> =>
  createPollSource((signal) => api.get<DashboardEntities>('api/dashboard/entities', query, signal), POLL_MS)

const streamed = (api: Api, query: QueryParameters): Source<EntityChanges> => {
  const source = createStreamSource(api, withQuery('api/dashboard/stream', query))
  return (signal, emit) =>
    source(signal, ({ event, data }) => {
      // Not parsed here: the server's tests check events against the schema that EntityChanges is inferred from.
      if (event === 'entities') emit(JSON.parse(data) as EntityChanges)
    })
}

/**
 * Runs `start` while the tab is visible. Its signal aborts `graceMs` after the tab is hidden, or when the
 * returned function is called.
 */
export const whileVisible = (graceMs: number, start: (signal: AbortSignal) => void): (() => void) => {
  let abort: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const pause = () => {
    abort?.abort()
    abort = undefined
  }
  const update = () => {
    clearTimeout(timer)
    if (document.hidden) {
      timer = setTimeout(pause, graceMs)
    } else if (abort === undefined) {
      abort = new AbortController()
      start(abort.signal)
    }
  }
  document.addEventListener('visibilitychange', update)
  update()
  return () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', update)
    pause()
  }
}

/** A page of entities, by id. */
export interface EntityPage {
  readonly entities: ReadonlyMap<string, DashboardEntity>
  readonly nextCursor: string | null
}

/** An event of the stream; the first one has all entities and no `removed`. */
export interface EntityChanges extends DashboardEntities {
  readonly removed?: readonly string[]
}

export const pageOf = ({ entities, next_cursor }: DashboardEntities): EntityPage => ({
  entities: new Map(entities.map((entity) => [entity.entity_id, entity])),
  nextCursor: next_cursor,
})

/** The page after an event; `page` is undefined before the first one. */
export const pageAfter = (page: EntityPage | undefined, changes: EntityChanges): EntityPage => {
  if (page === undefined || changes.removed === undefined) return pageOf(changes)
  const entities = new Map(page.entities)
  for (const id of changes.removed) entities.delete(id)
  for (const entity of changes.entities) entities.set(entity.entity_id, entity)
  return { entities, nextCursor: changes.next_cursor }
}

const NAMES = { connecting: 'Connecting', live: 'Live', polling: 'Polling', offline: 'Offline' } as const
const KINDS = { connecting: '', live: 'good', polling: 'warn', offline: 'bad' } as const
const HINTS = {
  connecting: 'Waiting for the first numbers',
  live: 'Changes are shown within a second',
  polling: 'This server cannot stream: the numbers are updated every two seconds',
  offline: 'The numbers are from the last response.',
} as const

/**
 * The state of the connection. Screen readers announce its changes, but not the seconds until the next
 * attempt.
 */
export const ConnectionBadge = ({ connection }: { readonly connection: Connection }) => {
  const { state } = connection
  const hint = state === 'offline' ? `${connection.error} ${HINTS.offline}` : HINTS[state]
  return (
    <span class="connection">
      <span class={`tag connection-state ${KINDS[state]}`} title={hint} aria-hidden="true">
        <span class="connection-dot" />
        {NAMES[state]}
        {state === 'offline' && <NextTry at={connection.nextTryAt} />}
      </span>
      <span class="unseen" role="status">
        {state === 'offline' ? 'Offline. Reconnecting automatically.' : NAMES[state]}
      </span>
    </span>
  )
}

const NextTry = ({ at }: { readonly at: number }) => {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [at])
  const seconds = Math.ceil((at - now) / 1000)
  return (
    <span class="number">
      · <span class="wide-only">next try </span>
      {seconds > 0 ? `in ${spanText(seconds)}` : 'now'}
    </span>
  )
}
