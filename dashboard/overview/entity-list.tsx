import { useEffect, useMemo, useState } from 'preact/hooks'
import type { DashboardEntity } from '../api/responses.ts'
import { amountText } from '../parts/amounts.ts'
import { Bar, isPaused, loadLevel } from '../parts/bar.tsx'
import { hrefOf } from '../parts/route.ts'
import { type EntityRow, rowsOf, type Sort } from './entity-rows.ts'
import { VirtualList } from './virtual-list.tsx'

interface EntityListProps {
  readonly entities: ReadonlyMap<string, DashboardEntity>
  readonly sort: Sort
}

export const EntityList = ({ entities, sort }: EntityListProps) => {
  const rows = useMemo(() => rowsOf([...entities.values()], sort), [entities, sort])
  const isNarrow = useNarrow()
  return (
    <VirtualList items={rows} label="Entities" heightOf={isNarrow ? narrowHeight : wideHeight} keyOf={idOf}>
      {(row) => <Entity row={row} isNarrow={isNarrow} />}
    </VirtualList>
  )
}

const idOf = ({ entity }: EntityRow): string => entity.entity_id
const wideHeight = ({ entity }: EntityRow): number => wideRowHeight(entity)
const narrowHeight = ({ entity }: EntityRow): number => narrowRowHeight(entity)

interface EntityProps {
  readonly row: EntityRow
  readonly isNarrow: boolean
}

const Entity = ({ row: { entity, depth }, isNarrow }: EntityProps) => (
  <div class="row-entity">
    <Identity entity={entity} depth={depth} />
    <div class="row-limits">
      {entity.limits.length === 0 && <span class="quiet">No limits</span>}
      {entity.limits.map((limit) => (
        <LimitLine key={`${limit.resource} ${limit.name}`} limit={limit} isLong={isLong(limit, isNarrow)} />
      ))}
    </div>
  </div>
)

const DEEPEST = 4

const Identity = ({ entity, depth }: EntityRow) => {
  const { entity_id, name, parent_id } = entity
  return (
    <div
      class={depth > 0 ? 'row-identity below' : 'row-identity'}
      style={{ '--depth': Math.min(depth, DEEPEST) }}
    >
      <a class="row-name" href={hrefOf({ view: 'entity', id: entity_id })} title={name}>
        {name}
      </a>
      <span class="row-id" title={entity_id}>
        <span class="mono">{entity_id}</span>
        {parent_id !== null && <ParentNote id={parent_id} isAbove={depth > 0} />}
        <ResourceNote entity={entity} />
      </span>
    </div>
  )
}

/** A parent in the row above is named for screen readers only. */
const ParentNote = ({ id, isAbove }: { readonly id: string; readonly isAbove: boolean }) =>
  isAbove ? (
    <span class="unseen">below {id}</span>
  ) : (
    <span>
      below <a href={hrefOf({ view: 'entity', id })}>{id}</a>
    </span>
  )

const NAMES: Readonly<Record<string, string>> = {
  _default_: '',
  _other_: 'all other resources',
  _total_: 'all resources',
}

/** The row shows the bucket with the least available. `_default_` needs no name. */
const ResourceNote = ({ entity }: { readonly entity: DashboardEntity }) => {
  const resource = entity.limits[0]?.resource ?? '_default_'
  const name = NAMES[resource] ?? resource
  return name === '' ? null : <span>on {name}</span>
}

interface LineProps {
  readonly limit: DashboardEntity['limits'][number]
  /** The amounts take two lines. */
  readonly isLong: boolean
}

const LimitLine = ({ limit: { name, meter, available, capacity }, isLong }: LineProps) => (
  <div class={`row-limit ${loadLevel(available, capacity)}${isLong ? ' long' : ''}`}>
    <span class="row-limit-name mono" title={name}>
      {name}
    </span>
    <Bar available={available} capacity={capacity} />
    <span class="row-limit-left number">
      {isPaused(capacity) ? (
        <span class="tag bad">paused</span>
      ) : (
        <>
          <strong>{amountText(meter, available)}</strong> <span>of {amountText(meter, capacity)}</span>
        </>
      )}
    </span>
  </div>
)

const NARROW = '(max-width: 1000px)'

/** Whether the bars are below the names: the media query of `overview.css` has the same width. */
export const useNarrow = (): boolean => {
  const [isNarrow, setNarrow] = useState(() => matchMedia(NARROW).matches)
  useEffect(() => {
    const query = matchMedia(NARROW)
    const changed = () => setNarrow(query.matches)
    query.addEventListener('change', changed)
    return () => query.removeEventListener('change', changed)
  }, [])
  return isNarrow
}

type ListedLimit = DashboardEntity['limits'][number]

/** px, the heights of rows in `overview.css`: the list computes positions from these numbers alone. */
const PADDING = 21
const IDENTITY = 44
const WIDE_LIMIT = 24
const NARROW_LIMIT = 36

/** The second line of long amounts. */
const SECOND_LINE = 20

/**
 * The characters that fit in one line: amounts beside a bar, and name and amounts above a bar on a phone of
 * 360 px.
 */
const WIDE_CHARACTERS = 30
const NARROW_CHARACTERS = 28

const amountsOf = ({ meter, available, capacity }: ListedLimit): number =>
  `${amountText(meter, available)} of ${amountText(meter, capacity)}`.length

/** Whether the amounts take two lines: numbers are never cut. */
export const isLong = (limit: ListedLimit, isNarrow: boolean): boolean =>
  isNarrow ? limit.name.length + amountsOf(limit) > NARROW_CHARACTERS : amountsOf(limit) > WIDE_CHARACTERS

export const wideRowHeight = ({ limits }: DashboardEntity): number =>
  PADDING + Math.max(IDENTITY, heightOf(limits, WIDE_LIMIT, false))

/** On narrow screens the limits are below the name. */
export const narrowRowHeight = ({ limits }: DashboardEntity): number =>
  PADDING + IDENTITY + Math.max(NARROW_LIMIT / 2, heightOf(limits, NARROW_LIMIT, true))

const heightOf = (limits: readonly ListedLimit[], each: number, isNarrow: boolean): number =>
  limits.reduce((sum, limit) => sum + each + (isLong(limit, isNarrow) ? SECOND_LINE : 0), 0)
