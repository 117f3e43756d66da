import './limits.css'
import { useEffect, useRef } from 'preact/hooks'
import type { Limit } from '../api/responses.ts'
import { ErrorNotice } from '../parts/notices.tsx'
import { entryText } from './limit-list.tsx'
import { type LimitInput, meterText, sourceText } from './limit-text.ts'
import type { FieldText } from './size-form.tsx'
import { sizeDetails, sizeFormOf, sizeText } from './size-forms.ts'

interface LimitReviewProps {
  readonly changes: readonly LimitChange[]
  /** What someone else has changed meanwhile; then `changes` are those to the limits as they are now. */
  readonly theirs?: readonly LimitChange[] | undefined
  /** Whether no limit is left after saving. */
  readonly isEmpty: boolean
  readonly error: Error | undefined
  readonly isSaving: boolean
  onBack(): void
  onSave(): void
}

/** The changes that saving would make, and the button that saves. */
export const LimitReview = (props: LimitReviewProps) => {
  const { changes, theirs, isEmpty, error, isSaving, onBack, onSave } = props
  const section = useRef<HTMLElement>(null)
  useEffect(() => section.current?.focus(), [])
  const hasChanges = changes.length > 0
  return (
    <>
      <ErrorNotice error={error} />
      {theirs !== undefined && <TheirChanges changes={theirs} />}
      <section class="limit-changes" ref={section} tabIndex={-1} aria-label="What changes">
        <h3>{titleOf(hasChanges, theirs !== undefined)}</h3>
        {hasChanges && <LimitChangeList changes={changes} isPreview />}
        {hasChanges && isEmpty && <p class="quiet">No limits are left here.</p>}
        {!hasChanges && <p class="quiet">The limits are unchanged.</p>}
      </section>
      <div class="actions">
        <button class="button" type="button" onClick={onBack}>
          Back
        </button>
        <button class="button primary" type="button" disabled={isSaving || !hasChanges} onClick={onSave}>
          {theirs === undefined ? 'Save' : 'Apply again'}
        </button>
      </div>
    </>
  )
}

const titleOf = (hasChanges: boolean, isAgain: boolean): string => {
  if (!hasChanges) return isAgain ? 'Nothing of yours is left to change' : 'Nothing changes'
  return isAgain ? 'What yours change in them now' : 'What changes'
}

const TheirChanges = ({ changes }: { readonly changes: readonly LimitChange[] }) => (
  <section class="limit-changes" aria-label="What someone else changed">
    <h3>What someone else changed</h3>
    {changes.length > 0 ? (
      <LimitChangeList changes={changes} />
    ) : (
      <p class="quiet">They saved the limits as they were.</p>
    )}
  </section>
)

interface LimitChangeListProps {
  readonly changes: readonly LimitChange[]
  /** The changes are not saved yet, so the limits that replace removed ones are known. */
  readonly isPreview?: boolean
}

/** Limits that are added, removed and changed. */
export const LimitChangeList = ({ changes, isPreview: isAhead = false }: LimitChangeListProps) => (
  <ul class="limit-change-list">
    {changes.map((change) => (
      <li key={change.name}>
        <Change change={change} isAhead={isAhead} />
      </li>
    ))}
  </ul>
)

const KINDS = { added: 'good', removed: 'bad', changed: 'warn' } as const

const Change = ({ change, isAhead }: { readonly change: LimitChange; readonly isAhead: boolean }) => (
  <>
    <p class="limit-change-head">
      <strong>{change.name}</strong> <span class={`tag ${KINDS[change.kind]}`}>{change.kind}</span>
    </p>
    {change.kind === 'added' && (
      <p>
        <ins>{change.size}</ins>
        {change.replaces && (
          <span class="quiet">
            {' '}
            instead of {sizeText(change.replaces)}, {sourceText(change.replaces.source)}
          </span>
        )}
      </p>
    )}
    {change.kind === 'removed' && (
      <p>
        <del>{change.size}</del> {isAhead && <span class="quiet">{inheritedText(change.inherited)}</span>}
      </p>
    )}
    {change.kind === 'changed' && <FieldChanges fields={change.fields} />}
  </>
)

const inheritedText = (limit: Limit | undefined): string =>
  limit ? `Inherited again: ${sizeText(limit)}, ${sourceText(limit.source)}` : 'No limit of that name is left'

/** Changed fields, each with its value before and after. */
export const FieldChanges = ({ fields }: { readonly fields: readonly FieldChange[] }) => (
  <dl class="field-changes">
    {fields.map(({ what, before, after }) => (
      <div key={what}>
        <dt>{what}</dt>
        <dd>
          {before !== undefined && <del>{before}</del>}
          {before !== undefined && after !== undefined && <span aria-hidden="true"> → </span>}
          {after !== undefined && <ins>{after}</ins>}
        </dd>
      </div>
    ))}
  </dl>
)

/** One field before and after; undefined if it was not set. */
export interface FieldChange {
  readonly what: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** The change of the limit of one name. */
export type LimitChange =
  | {
      readonly kind: 'added'
      readonly name: string
      readonly size: string
      readonly replaces: Limit | undefined
    }
  | {
      readonly kind: 'removed'
      readonly name: string
      readonly size: string
      readonly inherited: Limit | undefined
    }
  | { readonly kind: 'changed'; readonly name: string; readonly fields: readonly FieldChange[] }

/**
 * The changes, by name, that saving `after` in place of `before` would make. `inherited` are the limits that apply if none
 * are set: a removed limit is replaced by the inherited one of its name, an added limit replaces it.
 */
export const changesOf = (
  before: readonly Limit[],
  after: readonly LimitInput[],
  inherited: readonly Limit[] = [],
): readonly LimitChange[] => {
  const inheritedAs = (name: string) => inherited.find((limit) => limit.name === name)
  const kept = after.flatMap((limit): readonly LimitChange[] => {
    const old = before.find(({ name }) => name === limit.name)
    if (!old)
      return [{ kind: 'added', name: limit.name, size: sizeText(limit), replaces: inheritedAs(limit.name) }]
    const fields = fieldChanges(old, limit)
    return fields.length === 0 ? [] : [{ kind: 'changed', name: limit.name, fields }]
  })
  const removed = before
    .filter(({ name }) => !after.some((limit) => limit.name === name))
    .map((limit): LimitChange => {
      return { kind: 'removed', name: limit.name, size: sizeText(limit), inherited: inheritedAs(limit.name) }
    })
  return [...kept, ...removed]
}

const fieldTexts = (): readonly FieldText[] => [
  ['Counts', meterText],
  ['Algorithm', ({ algorithm }) => sizeFormOf(algorithm).name],
  ['Size', sizeText],
  ...sizeDetails(),
  ['At other times', scheduleText],
  ['Mode', ({ mode = 'enforce' }) => mode],
  ['Warns from', ({ warn_at = 0.8 }) => percentText(warn_at)],
  ['Refund', ({ refund = 'strict' }) => refund],
  ['If the store is unavailable', ({ on_unavailable = 'as configured' }) => on_unavailable],
  ['Charged ahead for', ({ lease_ttl_seconds: ttl }) => (ttl === undefined ? 'as configured' : `${ttl} s`)],
  ['Kept from normal priority', ({ headroom }) => percentText(headroom?.normal ?? 0)],
  ['Kept from low priority', ({ headroom }) => percentText(headroom?.low ?? 0)],
]

const scheduleText = ({ schedule = [], ...limit }: LimitInput): string =>
  schedule.length === 0 ? 'the same' : schedule.map((entry) => entryText(limit, entry)).join('; ')

const fieldChanges = (before: Limit, after: LimitInput): readonly FieldChange[] =>
  fieldTexts()
    .map(([what, textOf]) => ({ what, before: textOf(before), after: textOf(after) }))
    .filter((change) => change.before !== change.after)

const PERCENT = new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 2 })
const percentText = (share: number): string => PERCENT.format(share)
