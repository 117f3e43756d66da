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
  ['0', 'opens nothing from now on'],
  ['300', 'opens for 5 minutes more'],
  ['3600', 'opens for an hour more'],
  ['86400', 'opens for a day more'],
  ['604800', 'opens for a week more'],
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
        <p>A new key of the same name takes its place.</p>
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
