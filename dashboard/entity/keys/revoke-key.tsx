import type { ApiKey } from '../../api/answers.ts'
import { pathOf } from '../../api/api.ts'
import { useSession } from '../../api/session.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import type { KeyDialogProps } from './create-key.tsx'

/** Asks before a key opens nothing any more. */
export const RevokeKey = ({
  entityId,
  apiKey,
  onChanged,
  onClose,
}: KeyDialogProps & { readonly apiKey: ApiKey }) => {
  const { api } = useSession()
  const called = apiKey.name || apiKey.masked_secret
  return (
    <Confirm
      title={`Revoke ${called}?`}
      action={`Revoke ${called}`}
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
