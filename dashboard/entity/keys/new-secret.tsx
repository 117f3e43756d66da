import { useEffect, useRef, useState } from 'preact/hooks'
import type { NewApiKey } from '../../api/answers.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Notice } from '../../parts/notice.tsx'
import { expiryText } from './key-status.ts'

interface Props {
  readonly made: NewApiKey
  onClose(): void
}

/** A secret, the only time that it is shown: nothing closes it but the confirmation that it is stored. */
export const NewSecret = ({ made, onClose }: Props) => {
  const [isStored, setStored] = useState(false)
  const [isRefused, setRefused] = useState(false)
  const confirmation = useRef<HTMLInputElement>(null)
  useWarnBeforeUnload(!isStored)
  const close = () => {
    if (isStored) return onClose()
    setRefused(true)
    confirmation.current?.focus()
  }
  return (
    <Dialog title={`The key ${made.name || made.key_id}`} onClose={close}>
      <Notice kind="info">
        <strong>Copy the secret now.</strong> It is not stored and cannot be shown again. Anyone who has it
        can call the API as this entity.
      </Notice>
      <div class="secret">
        <code>{made.secret}</code>
        <CopyButton text={made.secret} what="the secret" />
      </div>
      <p class="quiet small">It {expiryText(made)}.</p>
      {isRefused && !isStored && (
        <Notice kind="error">
          The secret is lost once this is closed. Confirm below that you have stored it.
        </Notice>
      )}
      <div class="actions secret-actions">
        <label class="check">
          <input
            ref={confirmation}
            type="checkbox"
            checked={isStored}
            onChange={(event) => setStored(event.currentTarget.checked)}
          />
          I have stored the secret
        </label>
        {/* A disabled button could not explain what is missing. */}
        <button class="button primary" type="button" aria-disabled={!isStored} onClick={close}>
          Done
        </button>
      </div>
    </Dialog>
  )
}

/** The browser asks before the tab is closed or loaded again. */
const useWarnBeforeUnload = (isActive: boolean): void => {
  useEffect(() => {
    if (!isActive) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [isActive])
}
