import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { isFieldError } from '../api/errors.ts'
import { type Action, useAction } from '../api/hooks.ts'
import { Dialog } from './dialog.tsx'
import { ErrorNotice } from './notices.tsx'

/** The props of the fields of a draft. */
export interface DraftProps<D> {
  readonly draft: D
  /** Of the last attempt; undefined once the draft has changed. */
  readonly error: Error | undefined
  onChange(changes: Partial<D>): void
}

/** The state of a form: the props of its fields, and the action that sends its draft. */
export const useDraft = <D extends object>(initial: D, send: (draft: D) => Promise<unknown>) => {
  const [draft, setDraft] = useState(initial)
  const action = useAction(() => send(draft))
  const fields: DraftProps<D> = {
    draft,
    error: action.error,
    onChange(changes) {
      action.clear()
      setDraft((before) => ({ ...before, ...changes }))
    },
  }
  return { fields, action }
}

interface FormDialogProps {
  readonly title: string
  /** The fields of the form. */
  readonly children: ComponentChildren
  /** The names in the API of the fields that show their errors; an error of no field is shown below them. */
  readonly fieldNames: readonly string[]
  /** The label of the button that submits. */
  readonly submit: string
  readonly action: Action<[]>
  /** Called when the action has succeeded. */
  onDone?(): void
  onClose(): void
}

/** A dialog with a form that runs an action. */
export const FormDialog = (props: FormDialogProps) => {
  const { title, children, fieldNames, submit, action, onDone, onClose } = props
  const run = async (event: SubmitEvent) => {
    event.preventDefault()
    if (await action.run()) onDone?.()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="dialog-form" onSubmit={run}>
        {children}
        <ErrorNotice error={isFieldError(action.error, fieldNames) ? undefined : action.error} />
        <div class="actions">
          <button class="button" type="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button primary" type="submit" disabled={action.isRunning}>
            {submit}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
