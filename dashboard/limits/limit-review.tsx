import { useEffect, useRef } from 'preact/hooks'
import { ErrorNotice } from '../parts/notice.tsx'
import type { FieldChange, LimitChange } from './limit-changes.ts'
import { sizeText, sourceText } from './limit-text.ts'

interface Props {
  readonly changes: readonly LimitChange[]
  /** No limit would be left. */
  readonly isEmpty: boolean
  readonly error: Error | undefined
  readonly isSaving: boolean
  onBack(): void
  onSave(): void
}

/** What saving would change, and the button that does it. */
export const LimitReview = ({ changes, isEmpty, error, isSaving, onBack, onSave }: Props) => {
  const place = useRef<HTMLElement>(null)
  useEffect(() => place.current?.focus(), [])
  const hasChanges = changes.length > 0
  return (
    <>
      <section class="limit-changes" ref={place} tabIndex={-1} aria-label="What changes">
        <h3>{hasChanges ? 'What changes' : 'Nothing changes'}</h3>
        {hasChanges && (
          <ul>
            {changes.map((change) => (
              <li key={change.name}>
                <Change change={change} />
              </li>
            ))}
          </ul>
        )}
        {hasChanges && isEmpty && <p class="quiet">Nothing is set here any more.</p>}
        {!hasChanges && <p class="quiet">The limits are as they were.</p>}
      </section>
      <ErrorNotice error={error} />
      <div class="actions">
        <button class="button" type="button" onClick={onBack}>
          Back
        </button>
        <button class="button primary" type="button" disabled={isSaving || !hasChanges} onClick={onSave}>
          Save
        </button>
      </div>
    </>
  )
}

const KINDS = { added: 'good', removed: 'bad', changed: 'warn' } as const

const Change = ({ change }: { readonly change: LimitChange }) => (
  <>
    <p class="limit-change-head">
      <strong>{change.name}</strong> <span class={`tag ${KINDS[change.kind]}`}>{change.kind}</span>
    </p>
    {change.kind === 'added' && (
      <p>
        <ins>{change.size}</ins>
        {change.instead && (
          <span class="quiet">
            {' '}
            instead of {sizeText(change.instead)}, {sourceText(change.instead.source)}
          </span>
        )}
      </p>
    )}
    {change.kind === 'removed' && (
      <p>
        <del>{change.size}</del>{' '}
        <span class="quiet">
          {change.again
            ? `Inherited again: ${sizeText(change.again)}, ${sourceText(change.again.source)}`
            : 'Not limited by that name any more'}
        </span>
      </p>
    )}
    {change.kind === 'changed' && <Fields fields={change.fields} />}
  </>
)

const Fields = ({ fields }: { readonly fields: readonly FieldChange[] }) => (
  <dl class="field-changes">
    {fields.map(({ what, before, after }) => (
      <div key={what}>
        <dt>{what}</dt>
        <dd>
          <del>{before}</del> <span aria-hidden="true">→</span> <ins>{after}</ins>
        </dd>
      </div>
    ))}
  </dl>
)
