import { useState } from 'preact/hooks'
import type { NewApiKey } from '../../api/answers.ts'
import { pathOf } from '../../api/api.ts'
import { fieldErrorOf, isAtField } from '../../api/field-error.ts'
import { useSession } from '../../api/session.tsx'
import { useAction } from '../../api/use-action.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { NumberField, RequiredNote, TextField } from '../../parts/field.tsx'
import { ErrorNotice } from '../../parts/notice.tsx'
import { momentText } from '../../parts/time.ts'
import { expiryIn } from './key-status.ts'
import { NewSecret } from './new-secret.tsx'

export interface KeyDialogProps {
  readonly entityId: string
  onChanged(): void
  onClose(): void
}

/** Creates a key, and shows its secret this once. */
export const CreateKey = ({ entityId, onChanged, onClose }: KeyDialogProps) => {
  const { api } = useSession()
  const [name, setName] = useState('')
  const [days, setDays] = useState('')
  const [made, setMade] = useState<NewApiKey | undefined>(undefined)
  const creating = useAction(async () => {
    const body = { name: name.trim(), expires_at: expiryIn(days, Date.now() / 1000) }
    setMade(await api.send<NewApiKey>('POST', pathOf('api/entities', entityId, 'keys'), body))
  })
  if (made) return <NewSecret made={made} onClose={onClose} />
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (await creating.run()) onChanged()
  }
  const expiry = expiryIn(days, Date.now() / 1000)
  return (
    <Dialog title={`Create a key of ${entityId}`} onClose={onClose}>
      <form class="dialog-form" onSubmit={submit}>
        <RequiredNote />
        <div class="fields">
          <TextField
            label="Name"
            value={name}
            required
            hint="to recognize the key by"
            error={fieldErrorOf(creating.error, 'name')}
            onValue={setName}
          />
          <NumberField
            label="Expires in days"
            value={days}
            step="any"
            hint={expiry === null ? 'blank: never' : momentText(expiry)}
            error={fieldErrorOf(creating.error, 'expires_at')}
            onValue={setDays}
          />
        </div>
        <ErrorNotice error={isAtField(creating.error, ['name', 'expires_at']) ? undefined : creating.error} />
        <div class="actions">
          <button class="button" type="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button primary" type="submit" disabled={creating.isRunning}>
            Create
          </button>
        </div>
      </form>
    </Dialog>
  )
}
