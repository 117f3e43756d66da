import './overview.css'
import { useEffect, useState } from 'preact/hooks'
import { useSession } from '../api/session.tsx'
import { CreateEntity } from '../entity/entity-form.tsx'
import { numberText } from '../parts/amounts.ts'
import { ChoiceField, TextField } from '../parts/fields.tsx'
import { Empty, ErrorNotice } from '../parts/notices.tsx'
import { hrefOf } from '../parts/route.ts'
import { EntityList } from './entity-list.tsx'
import { SORTS, totalsOf } from './entity-rows.ts'
import { ConnectionBadge, type EntityPage, type LivePage, useLivePage } from './live-page.tsx'
import { PER_PAGE, type Place, usePlace } from './place.ts'

/** Every entity with what it has left, live. */
export const Overview = () => {
  const { mayWrite } = useSession()
  const place = usePlace()
  const live = useLivePage(place.query)
  const [isMaking, setMaking] = useState(false)
  const make = () => setMaking(true)
  return (
    <>
      <header class="view-head">
        <div class="overview-title">
          <h1>Overview</h1>
          <ConnectionBadge connection={live.connection} />
        </div>
        {mayWrite && (
          <button class="button primary" type="button" onClick={make}>
            New entity
          </button>
        )}
      </header>
      <Toolbar place={place} />
      <FoundEntities place={place} live={live} onMake={mayWrite ? make : undefined} />
      {isMaking && <CreateEntity parentId="" onCreated={goTo} onClose={() => setMaking(false)} />}
    </>
  )
}

const goTo = (id: string): void => location.assign(hrefOf({ view: 'entity', id }))

export const Toolbar = ({ place }: { readonly place: Place }) => (
  <search class="overview-toolbar">
    <TextField label="Search" placeholder="Id or name" value={place.search} onValue={place.setSearch} />
    <ChoiceField label="Order" options={SORTS} value={place.sort} onValue={place.setSort} />
    <ChoiceField
      label="Per page"
      options={PER_PAGE.map(String)}
      value={String(place.perPage)}
      onValue={place.setPerPage}
    />
  </search>
)

interface FoundEntitiesProps {
  readonly place: Place
  readonly live: LivePage
  /** Undefined: one who may not. */
  readonly onMake: (() => void) | undefined
}

/** The page of entities, or why there is none. */
export const FoundEntities = ({ place, live, onMake }: FoundEntitiesProps) => {
  const { page, isOld, connection } = live
  const searching = useSearchOn(place, live)
  if (page === undefined)
    return connection.state === 'offline' ? (
      <ErrorNotice error={new Error(connection.error)} />
    ) : (
      <div class="card overview-waiting" aria-busy="true">
        <p class="overview-waiting-note quiet">Loading…</p>
      </div>
    )
  const isPaged = page.nextCursor !== null || place.pageNumber > 1
  const pager = {
    place,
    nextCursor: page.nextCursor,
    isOld,
    isShort: place.query.q !== undefined && page.nextCursor !== null && page.entities.size < place.perPage,
  }
  return (
    <section class="card overview-found" aria-busy={isOld} data-state={connection.state}>
      <div class="overview-found-head">
        <Totals page={page} />
        {isPaged && <Pager {...pager} />}
      </div>
      {page.entities.size === 0 ? (
        <Nothing place={place} hasMore={page.nextCursor !== null} searching={searching} onMake={onMake} />
      ) : (
        <EntityList entities={page.entities} sort={place.sort} />
      )}
      {isPaged && page.entities.size > 0 && (
        <div class="overview-found-foot">
          <Pager {...pager} />
        </div>
      )}
    </section>
  )
}

const Totals = ({ page }: { readonly page: EntityPage }) => {
  const { entities, high } = totalsOf(page.entities.values())
  return (
    <p class="overview-totals">
      <span>
        <strong class="number">{numberText(entities)}</strong> {entities === 1 ? 'entity' : 'entities'}
        {page.nextCursor === null ? '' : ' on this page'}
      </span>
      {high > 0 && (
        <span class="tag bad">
          {numberText(high)} {high === 1 ? 'limit' : 'limits'} nearly used up
        </span>
      )}
    </p>
  )
}

interface PagerProps {
  readonly place: Place
  readonly nextCursor: string | null
  readonly isOld: boolean
  /** A search that gave up before the page was full. */
  readonly isShort: boolean
}

const Pager = ({ place, nextCursor, isOld, isShort }: PagerProps) => (
  <div class="overview-pager">
    <span class="quiet number">Page {place.pageNumber}</span>
    <button
      class="button small"
      type="button"
      disabled={isOld || place.pageNumber === 1}
      onClick={place.toPrevious}
    >
      Previous
    </button>
    <button
      class="button small"
      type="button"
      disabled={isOld || nextCursor === null}
      onClick={() => nextCursor !== null && place.toNext(nextCursor)}
    >
      {isShort ? 'Continue searching' : 'Next'}
    </button>
  </div>
)

interface NothingProps {
  readonly place: Place
  readonly hasMore: boolean
  readonly searching: SearchOn
  readonly onMake: (() => void) | undefined
}

const Nothing = ({ place, hasMore, searching, onMake }: NothingProps) => {
  if (searching.isSearching) return <Empty title="Nothing found so far">Still searching…</Empty>
  if (hasMore)
    return (
      <Empty title="Nothing found so far">
        <p>Many entities have been searched, and more remain.</p>
        <button class="button" type="button" onClick={searching.goOn}>
          Continue searching
        </button>
      </Empty>
    )
  if (place.query.q !== undefined)
    return (
      <Empty title={`No entity’s id or name contains “${place.query.q}”`}>
        <button class="button" type="button" onClick={() => place.setSearch('')}>
          Clear the search
        </button>
      </Empty>
    )
  return (
    <Empty title="No entities yet">
      <p>An entity is anything with limits: a project, a tenant, a user, an API key.</p>
      {onMake ? (
        <>
          <p>Create the first one, then give it limits and a key.</p>
          <button class="button primary" type="button" onClick={onMake}>
            New entity
          </button>
        </>
      ) : (
        <p>An administrator can create the first one.</p>
      )}
    </Empty>
  )
}

/** The server gives up a page after many entities that do not match: the next one is asked for after a pause. */
const PAUSE_MS = 500

/** After so many pages that hold nothing the search goes on only when it is told to. */
const MOST_SKIPPED = 20

export interface SearchOn {
  readonly isSearching: boolean
  /** Searches so many pages again. */
  goOn(): void
}

/** Goes on with a search while its pages are empty, each in place of the one before. */
export const useSearchOn = (place: Place, { page, isOld }: Pick<LivePage, 'page' | 'isOld'>): SearchOn => {
  const [skipped, setSkipped] = useState(0)
  const { q } = place.query
  useEffect(() => setSkipped(0), [q])
  const isEmpty = q !== undefined && page?.entities.size === 0
  const next = isEmpty && !isOld ? page.nextCursor : null
  const isSearching = isEmpty && page.nextCursor !== null && skipped < MOST_SKIPPED
  useEffect(() => {
    if (next === null || skipped >= MOST_SKIPPED) return
    const timer = setTimeout(() => {
      setSkipped(skipped + 1)
      place.skipTo(next)
    }, PAUSE_MS)
    return () => clearTimeout(timer)
  }, [next, skipped])
  return { isSearching, goOn: () => setSkipped(0) }
}
