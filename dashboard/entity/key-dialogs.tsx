import { useEffect, useRef, useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { fieldErrorOf } from '../api/errors.ts'
import { useAction } from '../api/hooks.ts'
import type { ApiKey, NewApiKey } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { CopyButton } from '../parts/controls.tsx'
import { Confirm, Dialog } from '../parts/dialog.tsx'
import { ChoiceField, NumberField, RequiredNote, TextField } from '../parts/fields.tsx'
import { FormDialog } from '../parts/forms.tsx'
import { Notice } from '../parts/notices.tsx'
import { momentText } from '../parts/time.ts'

export interface KeyDialogProps {
  readonly entityId: string
  onChanged(): void
  onClose(): void
}

/** Creates a key, and shows its secret once. */
export const CreateKey = ({ entityId, onChanged, onClose }: KeyDialogProps) => {
  const { api } = useSession()
  const [name, setName] = useState('')
  const [days, setDays] = useState('')
  const [created, setCreated] = useState<NewApiKey | undefined>(undefined)
  const creating = useAction(async () => {
    const body = { name: name.trim(), expires_at: expiryIn(days, Date.now() / 1000) }
    setCreated(await api.send<NewApiKey>('POST', pathOf('api/entities', entityId, 'keys'), body))
  })
  if (created) return <NewSecret created={created} onClose={onClose} />
  const expiry = expiryIn(days, Date.now() / 1000)
  return (
    <FormDialog
      title={`Create a key of ${entityId}`}
      fieldNames={['name', 'expires_at']}
      submit="Create"
      action={creating}
      onDone={onChanged}
      onClose={onClose}
    >
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
    </FormDialog>
  )
}

const GRACE_OPTIONS = [
  ['0', 'stops working now'],
  ['300', 'works for 5 more minutes'],
  ['3600', 'works for one more hour'],
  ['86400', 'works for one more day'],
  ['604800', 'works for one more week'],
] as const

/** Replaces a key by a new one, and shows its secret once. */
export const RotateKey = ({
  entityId,
  apiKey,
  onChanged,
  onClose,
}: KeyDialogProps & { readonly apiKey: ApiKey }) => {
  const { api } = useSession()
  const [grace, setGrace] = useState('3600')
  const [created, setCreated] = useState<NewApiKey | undefined>(undefined)
  const rotating = useAction(async () => {
    const path = pathOf('api/entities', entityId, 'keys', apiKey.key_id, 'rotate')
    setCreated(await api.send<NewApiKey>('POST', path, { grace_seconds: Number(grace) }))
  })
  if (created) return <NewSecret created={created} onClose={onClose} />
  return (
    <FormDialog
      title={`Rotate ${apiKey.name || apiKey.masked_secret}`}
      fieldNames={[]}
      submit="Rotate"
      action={rotating}
      onDone={onChanged}
      onClose={onClose}
    >
      <p>Creates a new key with the same name to replace this one.</p>
      <ChoiceField label="The old key" value={grace} options={GRACE_OPTIONS} onValue={setGrace} />
    </FormDialog>
  )
}

/** Confirms and revokes a key. */
export const RevokeKey = ({
  entityId,
  apiKey,
  onChanged,
  onClose,
}: KeyDialogProps & { readonly apiKey: ApiKey }) => {
  const { api } = useSession()
  const label = apiKey.name || apiKey.masked_secret
  return (
    <Confirm
      title={`Revoke ${label}?`}
      action={`Revoke ${label}`}
      act={() => api.send('DELETE', pathOf('api/entities', entityId, 'keys', apiKey.key_id))}
      onDone={() => {
        onClose()
        onChanged()
      }}
      onClose={onClose}
    >
      <p>
        Requests with <code>{apiKey.masked_secret}</code> are rejected from now on. This cannot be undone.
      </p>
    </Confirm>
  )
}

interface NewSecretProps {
  readonly created: NewApiKey
  onClose(): void
}

/**
 * A new secret. The dialog closes only after the confirmation that it is stored, because it is shown only
 * once.
 */
export const NewSecret = ({ created: made, onClose }: NewSecretProps) => {
  const [isStored, setStored] = useState(false)
  const [isWarned, setWarned] = useState(false)
  const confirmation = useRef<HTMLInputElement>(null)
  useWarnBeforeUnload(!isStored)
  const close = () => {
    if (isStored) return onClose()
    setWarned(true)
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
      {isWarned && !isStored && (
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

/** Lets the browser confirm before the tab is closed or reloaded. */
const useWarnBeforeUnload = (isActive: boolean): void => {
  useEffect(() => {
    if (!isActive) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [isActive])
}

export const expiryText = ({ expires_at: expiresAt }: Pick<ApiKey, 'expires_at'>): string =>
  expiresAt === null ? 'never expires' : `expires ${momentText(expiresAt)}`

const DAY_SECONDS = 86_400

/** `now` plus some days, in seconds since the epoch; null if no number of days is given. */
export const expiryIn = (days: string, now: number): number | null =>
  days.trim() === '' ? null : Math.round(now + Number(days) * DAY_SECONDS)
