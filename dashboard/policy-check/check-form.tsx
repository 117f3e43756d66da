import { fieldErrorOf, isFieldError } from '../api/errors.ts'
import { useQuery } from '../api/hooks.ts'
import type { Models } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { EntityField, RequiredNote, SuggestField, TextField } from '../parts/fields.tsx'
import { checkId, checkModelId } from '../parts/name-rules.ts'
import { ErrorNotice } from '../parts/notices.tsx'

interface CheckFormProps {
  readonly draft: CheckDraft
  readonly error: Error | undefined
  change(fields: Partial<CheckDraft>): void
  onCheck(): void
}

/** The form of a policy check. */
export const CheckForm = ({ draft, error, change, onCheck }: CheckFormProps) => {
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    onCheck()
  }
  const errorAt = (name: keyof CheckDraft) => fieldErrorOf(error, name)
  return (
    <form class="card" onSubmit={submit} noValidate aria-label="Request">
      <RequiredNote />
      <div class="fields">
        <EntityField
          label="Tenant"
          value={draft.tenantId}
          required
          check={checkId}
          error={errorAt('tenantId')}
          onValue={(tenantId) => change({ tenantId })}
        />
        <TextField
          label="User"
          value={draft.userId}
          required
          error={errorAt('userId')}
          onValue={(userId) => change({ userId })}
        />
        <ModelFields draft={draft} errorAt={errorAt} change={change} />
        <TextField
          label="Session"
          value={draft.sessionId}
          error={errorAt('sessionId')}
          hint="For SESSION policies; blank: a request that names none."
          onValue={(sessionId) => change({ sessionId })}
        />
        <EntityField
          label="Key"
          value={draft.apiKey}
          check={checkId}
          error={errorAt('apiKey')}
          hint="The id of a key’s entity, for its API_KEY policy; blank: none."
          onValue={(apiKey) => change({ apiKey })}
        />
      </div>
      {!isFieldError(error, Object.keys(draft)) && <ErrorNotice error={error} />}
      <div class="actions check-actions">
        <button class="button primary" type="submit">
          Check Rate Limit
        </button>
        <p class="quiet check-note">Each allowed check counts as one request in every policy that applies.</p>
      </div>
    </form>
  )
}

interface ModelProps extends Pick<CheckFormProps, 'draft' | 'change'> {
  errorAt(name: keyof CheckDraft): string | undefined
}

const ModelFields = ({ draft, errorAt, change }: ModelProps) => {
  const { api } = useSession()
  const { data } = useQuery((signal) => api.get<Models>('api/models', undefined, signal), [])
  const models = data?.items ?? []
  const tiers = [...new Set(models.map(({ tier }) => tier).filter((tier) => tier !== null))]
  return (
    <>
      <SuggestField
        label="Model"
        suggestions={models.map(({ model_id, tier }) => [model_id, tier ?? ''] as const)}
        value={draft.modelId}
        required
        check={checkModelId}
        error={errorAt('modelId')}
        onValue={(modelId) => change({ modelId })}
      />
      <SuggestField
        label="Tier"
        suggestions={tiers}
        value={draft.modelTier}
        check={checkId}
        error={errorAt('modelTier')}
        hint="Replaces the tier of the model; blank: the model’s tier."
        onValue={(modelTier) => change({ modelTier })}
      />
    </>
  )
}

/** The state of the form. */
export interface CheckDraft {
  readonly tenantId: string
  readonly userId: string
  readonly modelId: string
  readonly modelTier: string
  readonly sessionId: string
  /** The id of a key's entity. */
  readonly apiKey: string
}

export const DEFAULT_CHECK: CheckDraft = {
  tenantId: 'enterprise_co',
  userId: 'ent-user-1',
  modelId: 'gpt-4o',
  modelTier: 'premium',
  sessionId: '',
  apiKey: '',
}

/** The body of `POST /rate-limit/check`; empty optional fields are null. */
export const checkBodyOf = ({ tenantId, userId, modelId, modelTier, sessionId, apiKey }: CheckDraft) => ({
  tenantId: tenantId.trim(),
  userId: userId.trim(),
  modelId: modelId.trim(),
  modelTier: modelTier.trim() || null,
  sessionId: sessionId.trim() || null,
  apiKey: apiKey.trim() || null,
})
