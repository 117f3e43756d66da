import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { fieldErrorOf } from '../api/errors.ts'
import { useAction } from '../api/hooks.ts'
import type { NamedBucket } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { RemainingLimits } from '../limits/remaining-limits.tsx'
import { EntityField, RequiredNote, TextField } from '../parts/fields.tsx'
import { FormDialog } from '../parts/forms.tsx'
import { checkId } from '../parts/name-rules.ts'
import { ErrorNotice } from '../parts/notices.tsx'
import { NAMED_SCOPES, NO_NAME, type PolicyScope } from '../parts/policy-key.ts'

interface NamedBucketProps {
  readonly scope: PolicyScope
  onClose(): void
}

/** Looks up what is left of one user's or session's limits, and refills them. */
export const NamedBucketDialog = ({ scope, onClose }: NamedBucketProps) => {
  const { api } = useSession()
  const [tenant, setTenant] = useState('')
  const [name, setName] = useState('')
  const [found, setFound] = useState<NamedBucket | undefined>(undefined)
  const what = NAMED_SCOPES[scope] ?? 'name'
  const path = () => pathOf('api/policies', scope, tenant.trim(), name.trim() || NO_NAME)
  const lookUp = useAction(async () => {
    setFound(undefined)
    setFound(await api.get<NamedBucket>(path()))
  })
  const change = (set: (value: string) => void) => (value: string) => {
    lookUp.clear()
    setFound(undefined)
    set(value)
  }
  return (
    <FormDialog
      title={`Look up a ${what}`}
      fieldNames={['tenant']}
      submit="Look up"
      action={lookUp}
      onClose={onClose}
    >
      <RequiredNote />
      <EntityField
        label="Tenant"
        value={tenant}
        required
        check={checkId}
        error={fieldErrorOf(lookUp.error, 'tenant')}
        hint="The tenant of the key, or else its root entity."
        onValue={change(setTenant)}
      />
      <TextField
        label={scope === 'USER' ? 'User' : 'Session'}
        value={name}
        hint={`As requests name it; blank: those that name no ${what}.`}
        onValue={change(setName)}
      />
      {found !== undefined && <Found bucket={found} path={path()} onReset={setFound} />}
    </FormDialog>
  )
}

interface FoundProps {
  readonly bucket: NamedBucket
  readonly path: string
  onReset(bucket: NamedBucket): void
}

const Found = ({ bucket, path, onReset }: FoundProps) => {
  const { api, mayWrite } = useSession()
  const reset = useAction(async () => onReset(await api.send<NamedBucket>('POST', `${path}/reset`)))
  const { policy, limits } = bucket
  return (
    <section class="named-bucket" aria-label="Found" aria-live="polite">
      <p class="quiet">Limits of the policy {policy}:</p>
      <RemainingLimits limits={limits} />
      <ErrorNotice error={reset.error} />
      {mayWrite && (
        <button class="button small" type="button" disabled={reset.isRunning} onClick={() => reset.run()}>
          Refill these limits
        </button>
      )}
    </section>
  )
}
