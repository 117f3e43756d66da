import { useEffect, useRef } from 'preact/hooks'
import { ErrorNotice } from '../../parts/notice.tsx'
import { LimitChangeList } from './limit-change-list.tsx'
import type { LimitChange } from './limit-changes.ts'

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
        {hasChanges && <LimitChangeList changes={changes} isAhead />}
        {hasChanges && isEmpty && <p class="quiet">No limits are left here.</p>}
        {!hasChanges && <p class="quiet">The limits are unchanged.</p>}
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
