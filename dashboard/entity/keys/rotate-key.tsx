import { useState } from 'preact/hooks'
import type { ApiKey, NewApiKey } from '../../api/answers.ts'
import { pathOf } from '../../api/api.ts'
import { useSession } from '../../api/session.tsx'
import { useAction } from '../../api/use-action.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { ChoiceField } from '../../parts/field.tsx'
import { ErrorNotice } from '../../parts/notice.tsx'
import type { KeyDialogProps } from './create-key.tsx'
import { NewSecret } from './new-secret.tsx'

const GRACES = [
  ['0', 'stops working now'],
  ['300', 'works for 5 more minutes'],
  ['3600', 'works for one more hour'],
  ['86400', 'works for one more day'],
  ['604800', 'works for one more week'],
] as const

/** Puts a new key in place of another one, and shows its secret this once. */
export const RotateKey = ({
  entityId,
  apiKey,
  onChanged,
  onClose,
}: KeyDialogProps & { readonly apiKey: ApiKey }) => {
  const { api } = useSession()
  const [grace, setGrace] = useState('3600')
  const [made, setMade] = useState<NewApiKey | undefined>(undefined)
  const rotating = useAction(async () => {
    const path = pathOf('api/entities', entityId, 'keys', apiKey.key_id, 'rotate')
    setMade(await api.send<NewApiKey>('POST', path, { grace_seconds: Number(grace) }))
  })
  if (made) return <NewSecret made={made} onClose={onClose} />
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (await rotating.run()) onChanged()
  }
  return (
    <Dialog title={`Rotate ${apiKey.name || apiKey.masked_secret}`} onClose={onClose}>
      <form class="dialog-form" onSubmit={submit}>
        <p>Creates a new key with the same name to replace this one.</p>
        <ChoiceField label="The old key" value={grace} options={GRACES} onValue={setGrace} />
        <ErrorNotice error={rotating.error} />
        <div class="actions">
          <button class="button" type="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button primary" type="submit" disabled={rotating.isRunning}>
            Rotate
          </button>
        </div>
      </form>
    </Dialog>
  )
}
