import './limits.css'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Limit } from '../api/answers.ts'
import { useAction } from '../api/use-action.ts'
import { Dialog } from '../parts/dialog.tsx'
import { changesOf } from './changes/limit-changes.ts'
import { LimitReview } from './changes/limit-review.tsx'
import { draftOf, type LimitDraft, type LimitInput, limitOf } from './limit-draft.ts'
import { limitErrorOf } from './limit-error.ts'
import { LimitForm } from './limit-form.tsx'

interface Props {
  /** `Limits of key-bob on gpt-4` */
  readonly title: string
  /** What it is about, above the limits. */
  readonly children?: ComponentChildren
  /** What is set now, without what is inherited. */
  readonly limits: readonly Limit[]
  /** What would hold if nothing were set. */
  readonly inherited?: readonly Limit[]
  /** Puts limits in place of what is set; its errors name fields as the API does (`limits[0].capacity`). */
  save(limits: readonly LimitInput[]): Promise<unknown>
  onSaved(): void
  onClose(): void
}

/** Edits a set of limits, shows what that changes, and saves it. */
export const LimitEditor = ({ title, children, limits, inherited = [], save, onSaved, onClose }: Props) => {
  const [drafts, setDrafts] = useState<readonly LimitDraft[]>(() => limits.map(draftOf))
  const [isReviewing, setReviewing] = useState(false)
  const saving = useAction(() => save(drafts.map(limitOf)))
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
