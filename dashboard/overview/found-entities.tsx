import { Empty } from '../parts/empty.tsx'
import { ErrorNotice } from '../parts/notice.tsx'
import { numberText } from '../parts/numbers/number-text.ts'
import { EntityList } from './list/entity-list.tsx'
import { totalsOf } from './list/entity-rows.ts'
import type { EntityPage } from './live/entity-page.ts'
import type { LivePage } from './live/use-live-page.ts'
import type { Place } from './use-place.ts'

interface Props {
  readonly place: Place
  readonly live: LivePage
  /** Undefined: one who may not. */
  readonly onMake: (() => void) | undefined
}

/** The page of entities, or why there is none. */
export const FoundEntities = ({ place, live: { page, isOld, connection }, onMake }: Props) => {
  if (page === undefined)
    return connection.state === 'offline' ? (
      <ErrorNotice error={new Error(connection.error)} />
    ) : (
      <div class="card overview-waiting" aria-busy="true">
        <p class="overview-waiting-note quiet">Reading what is left…</p>
      </div>
    )
  const isPaged = page.nextCursor !== null || place.pageNumber > 1
  return (
    <section class="card overview-found" aria-busy={isOld} data-state={connection.state}>
      <div class="overview-found-head">
        <Totals page={page} />
        {isPaged && <Pager place={place} nextCursor={page.nextCursor} isOld={isOld} />}
      </div>
      {page.entities.size === 0 ? (
        <Nothing place={place} hasMore={page.nextCursor !== null} onMake={onMake} />
      ) : (
        <EntityList entities={page.entities} sort={place.sort} />
      )}
      {isPaged && page.entities.size > 0 && (
        <div class="overview-found-foot">
          <Pager place={place} nextCursor={page.nextCursor} isOld={isOld} />
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
}

const Pager = ({ place, nextCursor, isOld }: PagerProps) => (
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
      Next
    </button>
  </div>
)

interface NothingProps {
  readonly place: Place
  readonly hasMore: boolean
  readonly onMake: (() => void) | undefined
}

/** A search gives up a page after many entities that do not match, and goes on with the next. */
const Nothing = ({ place, hasMore, onMake }: NothingProps) => {
  if (hasMore) return <Empty title="Nothing found so far">The search goes on with the next page.</Empty>
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
      <p>An entity is whoever is limited: a project, a tenant, a user, an API key.</p>
      {onMake ? (
        <button class="button primary" type="button" onClick={onMake}>
          New entity
        </button>
      ) : (
        <p>An admin can make the first one.</p>
      )}
    </Empty>
  )
}
