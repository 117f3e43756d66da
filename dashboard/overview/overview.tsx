import './overview.css'
import { useEffect, useState } from 'preact/hooks'
import { useSession } from '../api/session.tsx'
import { CreateEntity } from '../entity/entity-form.tsx'
import { numberText } from '../parts/amounts.ts'
import { ChoiceField, TextField } from '../parts/fields.tsx'
import { EmptyState, ErrorNotice } from '../parts/notices.tsx'
import { hrefOf } from '../parts/route.ts'
import { EntityList } from './entity-list.tsx'
import { SORTS, totalsOf } from './entity-rows.ts'
import { ConnectionBadge, type EntityPage, type LivePage, useLivePage } from './live-page.tsx'
import { type ListPlace, PER_PAGE, useListPlace } from './place.ts'

/** All entities with their available amounts, live. */
export const Overview = () => {
  const { mayWrite } = useSession()
  const place = useListPlace()
  const live = useLivePage(place.query)
  const [isCreating, setCreating] = useState(false)
  const create = () => setCreating(true)
  return (
    <>
      <header class="view-head">
        <div class="overview-title">
          <h1>Overview</h1>
          <ConnectionBadge connection={live.connection} />
        </div>
        {mayWrite && (
          <button class="button primary" type="button" onClick={create}>
            New entity
          </button>
        )}
      </header>
      <Toolbar place={place} />
      <EntityResults place={place} live={live} onCreate={mayWrite ? create : undefined} />
      {isCreating && <CreateEntity parentId="" onCreated={goTo} onClose={() => setCreating(false)} />}
    </>
  )
}

const goTo = (id: string): void => location.assign(hrefOf({ view: 'entity', id }))

export const Toolbar = ({ place }: { readonly place: ListPlace }) => (
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

interface EntityResultsProps {
  readonly place: ListPlace
  readonly live: LivePage
  /** Undefined if the role may not create entities. */
  readonly onCreate: (() => void) | undefined
}

/** The page of entities, or the reason why there is none. */
export const EntityResults = ({ place, live, onCreate }: EntityResultsProps) => {
  const { page, isStale, connection } = live
  const searching = useContinuedSearch(place, live)
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
    isStale,
    isShort: place.query.q !== undefined && page.nextCursor !== null && page.entities.size < place.perPage,
  }
  return (
    <section class="card overview-found" aria-busy={isStale} data-state={connection.state}>
      <div class="overview-found-head">
        <Totals page={page} />
        {isPaged && <Pager {...pager} />}
      </div>
      {page.entities.size === 0 ? (
        <NoResults
          place={place}
          hasMore={page.nextCursor !== null}
          searching={searching}
          onCreate={onCreate}
        />
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
  readonly place: ListPlace
  readonly nextCursor: string | null
  readonly isStale: boolean
  /** Whether the search stopped before the page was full. */
  readonly isShort: boolean
}

const Pager = ({ place, nextCursor, isStale, isShort }: PagerProps) => (
  <div class="overview-pager">
    <span class="quiet number">Page {place.pageNumber}</span>
    <button
      class="button small"
      type="button"
      disabled={isStale || place.pageNumber === 1}
      onClick={place.previousPage}
    >
      Previous
    </button>
    <button
      class="button small"
      type="button"
      disabled={isStale || nextCursor === null}
      onClick={() => nextCursor !== null && place.nextPage(nextCursor)}
    >
      {isShort ? 'Continue searching' : 'Next'}
    </button>
  </div>
)

interface NoResultsProps {
  readonly place: ListPlace
  readonly hasMore: boolean
  readonly searching: ContinuedSearch
  readonly onCreate: (() => void) | undefined
}

const NoResults = ({ place, hasMore, searching, onCreate }: NoResultsProps) => {
  if (searching.isSearching) return <EmptyState title="Nothing found so far">Still searching…</EmptyState>
  if (hasMore)
    return (
      <EmptyState title="Nothing found so far">
        <p>Many entities have been searched, and more remain.</p>
        <button class="button" type="button" onClick={searching.continueSearch}>
          Continue searching
        </button>
      </EmptyState>
    )
  if (place.query.q !== undefined)
    return (
      <EmptyState title={`No entity’s id or name contains “${place.query.q}”`}>
        <button class="button" type="button" onClick={() => place.setSearch('')}>
          Clear the search
        </button>
      </EmptyState>
    )
  return (
    <EmptyState title="No entities yet">
      <p>An entity is anything with limits: a project, a tenant, a user, an API key.</p>
      {onCreate ? (
        <>
          <p>Create the first one, then give it limits and a key.</p>
          <button class="button primary" type="button" onClick={onCreate}>
            New entity
          </button>
        </>
      ) : (
        <p>An administrator can create the first one.</p>
      )}
    </EmptyState>
  )
}

/** The server ends a page after many entities that do not match: the next page is requested after a pause. */
const PAUSE_MS = 500

/** After this many empty pages, the user decides whether to continue. */
const MAX_SKIPPED_PAGES = 20

export interface ContinuedSearch {
  readonly isSearching: boolean
  /** Searches the same number of pages again. */
  continueSearch(): void
}

/** Continues a search while its pages are empty; each replaces the one before. */
export const useContinuedSearch = (
  place: ListPlace,
  { page, isStale }: Pick<LivePage, 'page' | 'isStale'>,
): ContinuedSearch => {
  const [skipped, setSkipped] = useState(0)
  const { q } = place.query
  useEffect(() => setSkipped(0), [q])
  const isEmpty = q !== undefined && page?.entities.size === 0
  const next = isEmpty && !isStale ? page.nextCursor : null
  const isSearching = isEmpty && page.nextCursor !== null && skipped < MAX_SKIPPED_PAGES
  useEffect(() => {
    if (next === null || skipped >= MAX_SKIPPED_PAGES) return
    const timer = setTimeout(() => {
      setSkipped(skipped + 1)
      place.skipTo(next)
    }, PAUSE_MS)
    return () => clearTimeout(timer)
  }, [next, skipped])
  return { isSearching, continueSearch: () => setSkipped(0) }
}
