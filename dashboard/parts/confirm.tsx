import type { ComponentChildren } from 'preact'
import { useAction } from '../api/use-action.ts'
import { Dialog } from './dialog.tsx'
import { ErrorNotice } from './notice.tsx'

interface Props {
  readonly title: string
  /** What will happen. */
  readonly children: ComponentChildren
  /** The button that does it: `Delete key-bob`. */
  readonly action: string
  act(): Promise<unknown>
  onDone(): void
  onClose(): void
}

/** Asks before something that cannot be taken back. */
export const Confirm = ({ title, children, action, act, onDone, onClose }: Props) => {
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
