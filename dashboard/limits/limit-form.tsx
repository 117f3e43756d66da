import { useEffect, useRef } from 'preact/hooks'
import type { Limit } from '../api/answers.ts'
import { Empty } from '../parts/empty.tsx'
import { RequiredNote } from '../parts/field.tsx'
import { LimitFields } from './fields/limit-fields.tsx'
import { draftOf, type LimitDraft, newDraft } from './limit-draft.ts'
import type { LimitError } from './limit-error.ts'
import { NAMES_ID, USUAL_NAMES } from './limit-text.ts'

interface Props {
  readonly drafts: readonly LimitDraft[]
  readonly inherited: readonly Limit[]
  readonly error: LimitError | undefined
  onDrafts(drafts: readonly LimitDraft[]): void
  onReview(): void
  onClose(): void
}

const nextKey = (drafts: readonly LimitDraft[]): number => Math.max(-1, ...drafts.map(({ key }) => key)) + 1

/** The limits to be, one below the other. */
export const LimitForm = ({ drafts, inherited, error, onDrafts, onReview, onClose }: Props) => {
  const form = useFirstError(error)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    onReview()
  }
  return (
    <form class="limit-form" ref={form} onSubmit={submit}>
      <datalist id={NAMES_ID}>
        {USUAL_NAMES.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {drafts.length === 0 && (
        <NothingSet inherited={inherited} onCopy={() => onDrafts(inherited.map(draftOf))} />
      )}
      {drafts.length > 0 && <RequiredNote />}
      {drafts.map((draft, index) => (
        <LimitFields
          key={draft.key}
          draft={draft}
          others={drafts.filter(({ key }) => key !== draft.key).map(({ name }) => name.trim())}
          error={error?.index === index ? error : undefined}
          onDraft={(changed) => onDrafts(drafts.map((each) => (each.key === changed.key ? changed : each)))}
          onRemove={() => onDrafts(drafts.filter(({ key }) => key !== draft.key))}
        />
      ))}
      <div class="actions">
        <button class="button" type="button" onClick={() => onDrafts([...drafts, newDraft(nextKey(drafts))])}>
          Add a limit
        </button>
      </div>
      <div class="actions limit-form-actions">
        <button class="button" type="button" onClick={onClose}>
          Cancel
        </button>
        <button class="button primary" type="submit">
          Review changes
        </button>
      </div>
    </form>
  )
}

const NothingSet = ({ inherited, onCopy }: Pick<Props, 'inherited'> & { onCopy(): void }) => (
  <Empty title="No limits are set here">
    <p>{inherited.length > 0 ? 'The inherited limits apply.' : 'Add a limit to begin.'}</p>
    {inherited.length > 0 && (
      <button class="button" type="button" onClick={onCopy}>
        Start from the inherited limits
      </button>
    )}
  </Empty>
)

/** Leads to the field that the API did not take. */
const useFirstError = (error: LimitError | undefined) => {
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    const field = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')
    const hidden = field?.closest('details')
    if (hidden) hidden.open = true
    field?.focus()
  }, [error?.index, error?.field])
  return form
}
