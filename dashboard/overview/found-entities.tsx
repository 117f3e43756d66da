import { Empty } from '../parts/empty.tsx'
import { ErrorNotice } from '../parts/notice.tsx'
import { numberText } from '../parts/numbers/number-text.ts'
import { EntityList } from './list/entity-list.tsx'
import { totalsOf } from './list/entity-rows.ts'
import type { EntityPage } from './live/entity-page.ts'
import type { LivePage } from './live/use-live-page.ts'
import type { Place } from './use-place.ts'
import { type SearchOn, useSearchOn } from './use-search-on.ts'

interface Props {
  readonly place: Place
  readonly live: LivePage
  /** Undefined: one who may not. */
  readonly onMake: (() => void) | undefined
}

/** The page of entities, or why there is none. */
export const FoundEntities = ({ place, live, onMake }: Props) => {
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
