import { useQuery } from '../api/hooks.ts'
import type { Audit, Limit } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import {
  changesOf,
  type FieldChange,
  FieldChanges,
  type LimitChange,
  LimitChangeList,
} from '../limits/limit-changes.tsx'
import { amountText } from '../parts/amounts.ts'
import { Older } from '../parts/controls.tsx'
import { EmptyState, ErrorNotice } from '../parts/notices.tsx'
import { momentText } from '../parts/time.ts'

const PER_PAGE = 20

/** The changes of an entity, newest first. */
export const AuditSection = ({ entityId }: { readonly entityId: string }) => (
  <section class="card" aria-label="Audit">
    <h2>Audit</h2>
    <AuditPage entityId={entityId} cursor={undefined} />
  </section>
)

interface PageProps {
  readonly entityId: string
  readonly cursor: string | undefined
}

/** One page of records; the next one loads on request. */
const AuditPage = ({ entityId, cursor }: PageProps) => {
  const { api } = useSession()
  const { data, error } = useQuery(
    (signal) => api.get<Audit>('api/audit', { entity_id: entityId, limit: PER_PAGE, cursor }, signal),
    [entityId, cursor],
  )
  if (error) return <ErrorNotice error={error} />
  if (!data) return <p class="quiet">Loading…</p>
  if (data.items.length === 0)
    return (
      <EmptyState title={cursor === undefined ? 'No changes yet' : 'No older changes'}>
        {cursor === undefined && <p>Changes of this entity, its keys and its limits appear here.</p>}
      </EmptyState>
    )
  return (
    <>
      <ol class="audit">
        {data.items.map((item) => (
          <AuditEntry key={`${item.at} ${item.action}`} item={item} />
        ))}
      </ol>
      {data.next_cursor !== null && (
        <Older>
          <AuditPage entityId={entityId} cursor={data.next_cursor} />
        </Older>
      )}
    </>
  )
}

/** One change: time, actor, action, and the values before and after. */
export const AuditEntry = ({ item }: { readonly item: Audit['items'][number] }) => {
  const limits = limitDiff(item)
  const fields = fieldDiff(item)
  const resource = resourceOf(item)
  return (
    <li>
      <p class="audit-head">
        <strong>
          {actionText(item.action)}
          {resource !== undefined && ` on ${resource}`}
        </strong>
        <span class="quiet">
          by {item.actor},{' '}
          <time dateTime={new Date(item.at * 1000).toISOString()}>{momentText(item.at)}</time>
        </span>
      </p>
      {fields.length > 0 && <FieldChanges fields={fields} />}
      {limits.length > 0 && <LimitChangeList changes={limits} />}
    </li>
  )
}

type Recorded = Pick<Audit['items'][number], 'before' | 'after'>
type Fields = Readonly<Record<string, unknown>>

const ACTIONS: Readonly<Record<string, string>> = {
  'entity.create': 'Created',
  'entity.change': 'Changed',
  'entity.delete': 'Deleted',
  'key.create': 'Key created',
  'key.revoke': 'Key revoked',
  'key.rotate': 'Key rotated',
  'limits.replace': 'Limits set',
  'limits.delete': 'Limits removed',
  'bucket.reset': 'Reset',
  'bucket.top_up': 'Topped up',
}

/** The action in words: `Key rotated`. */
export const actionText = (action: string): string => ACTIONS[action] ?? action

/** The resource of a record, if it has one. */
export const resourceOf = ({ before, after }: Recorded): string | undefined => {
  const side = [after, before].find((value) => isFields(value) && typeof value.resource === 'string')
  return isFields(side) ? String(side.resource) : undefined
}

/** The limits that a record changed. */
export const limitDiff = ({ before, after }: Recorded): readonly LimitChange[] =>
  changesOf(limitsIn(before), limitsIn(after))

/**
 * The fields of a record that differ, by name (`old.status`), without limits. Something created or deleted as a whole has
 * all its fields on one side.
 */
export const fieldDiff = (record: Recorded): readonly FieldChange[] => {
  const { before, after } = record
  if (isRotation(after)) return rotationDiff(before, after)
  const [was, is] = [leavesOf(before), leavesOf(after)]
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((name) => ({ what: nameText(name), before: was.get(name), after: is.get(name) }))
    .filter((field) => field.before !== field.after)
}

/** A rotation is recorded as the new key and the changed old key. */
interface Rotation {
  readonly old: Fields
  readonly new: Fields
}

const isRotation = (value: unknown): value is Rotation =>
  isFields(value) && isFields(value.old) && isFields(value.new) && 'masked_secret' in value.new

/**
 * The name of the key, its secret before and after, other changes of the new key, and the changes of the old
 * one.
 */
const rotationDiff = (before: unknown, { old, new: made }: Rotation): readonly FieldChange[] => [
  { what: 'name', before: undefined, after: textOf(made.name, 'name') },
  ...fieldDiff({ before, after: made }).filter(({ what }) => what !== 'key id' && what !== 'name'),
  ...fieldDiff({ before, after: old }).map((change) => ({ ...change, what: `old key ${change.what}` })),
]

const limitsIn = (value: unknown): readonly Limit[] => {
  const limits = isFields(value) ? value.limits : undefined
  return Array.isArray(limits) ? limits.filter(isLimit) : []
}

const isLimit = (value: unknown): value is Limit =>
  isFields(value) && typeof value.name === 'string' && typeof value.algorithm === 'string'

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const SAID_ELSEWHERE: readonly string[] = ['limits', 'resource', 'entity_id', 'created_at', 'meter']

/** The other fields of a record, as texts by path. Fields that are null are left out. */
const leavesOf = (value: unknown, path = ''): ReadonlyMap<string, string> => {
  if (isFields(value)) {
    const parts = Object.entries(value).filter(([name]) => !SAID_ELSEWHERE.includes(name))
    return new Map(
      parts.flatMap(([name, part]): (readonly [string, string])[] =>
        name === 'amount' && typeof part === 'number'
          ? [[name, amountText(meterIn(value), part)]]
          : [...leavesOf(part, path === '' ? name : `${path}.${name}`)],
      ),
    )
  }
  return value === null || value === undefined ? new Map() : new Map([[path, textOf(value, path)]])
}

/** The meter of an amount: money is shown in dollars. */
const meterIn = ({ meter }: Fields): string | undefined => (typeof meter === 'string' ? meter : undefined)

const textOf = (value: unknown, path: string): string => {
  if (typeof value === 'number' && path.endsWith('_at')) return momentText(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return Array.isArray(value) ? value.join(', ') : String(value)
}

const nameText = (path: string): string => path.replaceAll('.', ' ').replaceAll('_', ' ')
