import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { useAction } from '../api/hooks.ts'
import { ErrorNotice } from './notices.tsx'

interface DialogProps {
  readonly title: string
  readonly children: ComponentChildren
  /** Called on Escape and by the button in the corner. */
  onClose(): void
}

const FIRST_FIELD = 'form :is(input, select, textarea):not(:disabled)'

/**
 * A modal dialog, open while it is rendered. The focus starts in the first field of its form, stays in the dialog and
 * returns afterwards.
 */
export const Dialog = ({ title, children, onClose }: DialogProps) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const { current } = dialog
    const before = document.activeElement
    current?.showModal()
    // The browser would focus the close button, which comes first.
    current?.querySelector<HTMLElement>(FIRST_FIELD)?.focus()
    return () => {
      current?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClose={({ currentTarget }) => {
        // Browsers ignore preventDefault() of a second Escape: only `onClose` closes, by no longer rendering it.
        if (!currentTarget.isConnected || currentTarget.open) return
        currentTarget.showModal()
        onClose()
      }}
    >
      <div class="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <button class="button icon" type="button" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </div>
      {children}
    </dialog>
  )
}

interface ConfirmProps {
  readonly title: string
  /** The consequences. */
  readonly children: ComponentChildren
  /** The label of the button: `Delete key-bob`. */
  readonly action: string
  act(): Promise<unknown>
  onDone(): void
  onClose(): void
}

/** Confirms an action that cannot be undone. */
export const Confirm = ({ title, children, action, act, onDone, onClose }: ConfirmProps) => {
  const acting = useAction(act)
  const confirm = async () => {
    if (await acting.run()) onDone()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-body">{children}</div>
      <ErrorNotice error={acting.error} />
      <div class="actions">
        <button class="button" type="button" onClick={onClose}>
          Cancel
        </button>
        <button class="button danger" type="button" aria-disabled={acting.isRunning} onClick={confirm}>
          {action}
        </button>
      </div>
    </Dialog>
  )
}
