import './limits.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Condition } from '../api/api.ts'
import { isStale } from '../api/errors.ts'
import { useAction } from '../api/hooks.ts'
import type { Limit } from '../api/responses.ts'
import { Dialog } from '../parts/dialog.tsx'
import { RequiredNote } from '../parts/fields.tsx'
import { EmptyState } from '../parts/notices.tsx'
import { changesOf, type LimitChange, LimitReview } from './limit-changes.tsx'
import { draftOf, type LimitDraft, limitOf, newDraft } from './limit-draft.ts'
import { type LimitError, LimitFields, limitErrorOf } from './limit-fields.tsx'
import { type LimitInput, NAMES_ID, USUAL_NAMES } from './limit-text.ts'

/** A set of limits as it was read. */
export interface EditedSet {
  /** The limits set now, without inherited ones. */
  readonly limits: readonly Limit[]
  /** The limits that would apply if none were set. */
  readonly inherited: readonly Limit[]
  /** That it has not changed since. */
  readonly condition: Condition
}

interface LimitEditorProps {
  /** `Limits of key-bob on gpt-4` */
  readonly title: string
  /** Shown above the limits. */
  readonly children?: ComponentChildren
  readonly set: EditedSet
  /** Reads the set again, after someone else has changed it. */
  read(): Promise<EditedSet>
  /** Replaces the limits if the condition is met. Its errors name fields as the API does (`limits[0].capacity`). */
  save(limits: readonly LimitInput[], condition: Condition): Promise<unknown>
  onSaved(): void
  onClose(): void
}

/** Edits a set of limits, shows the changes for review, and saves them. */
export const LimitEditor = ({ title, children, set, read, save, onSaved, onClose }: LimitEditorProps) => {
  const [drafts, setDrafts] = useState<readonly LimitDraft[]>(() => set.limits.map(draftOf))
  const [isReviewing, setReviewing] = useState(false)
  const { base, theirs, attempt } = useConditionalSave({ set, read, save })
  const { limits, inherited } = base
  const saving = useAction(() => attempt(drafts.map(limitOf)))
  const fieldError = limitErrorOf(saving.error)
  const review = () => {
    saving.clear()
    setReviewing(true)
  }
  const confirm = async () => {
    if (await saving.run()) onSaved()
  }
  // A field's error is shown at the field.
  if (isReviewing && fieldError === undefined)
    return (
      <Dialog title={title} onClose={onClose}>
        <LimitReview
          changes={changesOf(limits, drafts.map(limitOf), inherited)}
          theirs={theirs}
          isEmpty={drafts.length === 0}
          error={saving.error}
          isSaving={saving.isRunning}
          onBack={() => setReviewing(false)}
          onSave={confirm}
        />
      </Dialog>
    )
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <LimitForm
        drafts={drafts}
        inherited={inherited}
        error={fieldError}
        onDrafts={setDrafts}
        onReview={review}
        onClose={onClose}
      />
    </Dialog>
  )
}

/**
 * Saves on the condition that nobody else has changed the set. If someone has, `theirs` is what they changed, `base` the set as
 * it is now, and the next attempt is based on that.
 */
const useConditionalSave = ({ set, read, save }: Pick<LimitEditorProps, 'set' | 'read' | 'save'>) => {
  const [base, setBase] = useState(set)
  const [theirs, setTheirs] = useState<readonly LimitChange[] | undefined>(undefined)
  const attempt = async (limits: readonly LimitInput[]): Promise<void> => {
    try {
      await save(limits, base.condition)
    } catch (error) {
      if (!isStale(error)) throw error
      const current = await read()
      setTheirs(changesOf(base.limits, current.limits, current.inherited))
      setBase(current)
      throw new Error(CHANGED)
    }
  }
  return { base, theirs, attempt }
}

const CHANGED =
  'Someone else has changed these limits since you opened them, so yours were not saved. Check what follows, then apply yours again.'

interface LimitFormProps {
  readonly drafts: readonly LimitDraft[]
  readonly inherited: readonly Limit[]
  readonly error: LimitError | undefined
  onDrafts(drafts: readonly LimitDraft[]): void
  onReview(): void
  onClose(): void
}

const nextKey = (drafts: readonly LimitDraft[]): number => Math.max(-1, ...drafts.map(({ key }) => key)) + 1

/** The form of a set of limits. */
export const LimitForm = ({ drafts, inherited, error, onDrafts, onReview, onClose }: LimitFormProps) => {
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
        <NoLimits inherited={inherited} onCopy={() => onDrafts(inherited.map(draftOf))} />
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

const NoLimits = ({ inherited, onCopy }: Pick<LimitFormProps, 'inherited'> & { onCopy(): void }) => (
  <EmptyState title="No limits are set here">
    <p>{inherited.length > 0 ? 'The inherited limits apply.' : 'Add a limit to begin.'}</p>
    {inherited.length > 0 && (
      <button class="button" type="button" onClick={onCopy}>
        Start from the inherited limits
      </button>
    )}
  </EmptyState>
)

/** Moves the focus to the field that the API rejected. */
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
