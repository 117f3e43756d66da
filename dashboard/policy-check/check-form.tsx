import { fieldErrorOf, isFieldError } from '../api/errors.ts'
import { tiersOf, useModels } from '../api/hooks.ts'
import { EntityField, RequiredNote, SuggestField, TextField } from '../parts/fields.tsx'
import type { DraftProps } from '../parts/forms.tsx'
import { checkId, checkModelId } from '../parts/name-rules.ts'
import { ErrorNotice } from '../parts/notices.tsx'

interface CheckFormProps extends DraftProps<CheckDraft> {
  onCheck(): void
}

/** The form of a policy check. */
export const CheckForm = ({ draft, error, onChange, onCheck }: CheckFormProps) => {
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
          onValue={(tenantId) => onChange({ tenantId })}
        />
        <TextField
          label="User"
          value={draft.userId}
          required
          error={errorAt('userId')}
          onValue={(userId) => onChange({ userId })}
        />
        <ModelFields draft={draft} errorAt={errorAt} onChange={onChange} />
        <TextField
          label="Session"
          value={draft.sessionId}
          error={errorAt('sessionId')}
          hint="For SESSION policies; blank: a request that names none."
          onValue={(sessionId) => onChange({ sessionId })}
        />
        <EntityField
          label="Key"
          value={draft.apiKey}
          check={checkId}
          error={errorAt('apiKey')}
          hint="The id of a key’s entity, for its API_KEY policy; blank: none."
          onValue={(apiKey) => onChange({ apiKey })}
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

interface ModelProps extends Pick<CheckFormProps, 'draft' | 'onChange'> {
  errorAt(name: keyof CheckDraft): string | undefined
}

const ModelFields = ({ draft, errorAt, onChange }: ModelProps) => {
  const models = useModels().data?.items ?? []
  return (
    <>
      <SuggestField
        label="Model"
        suggestions={models.map(({ model_id, tier }) => [model_id, tier ?? ''] as const)}
        value={draft.modelId}
        required
        check={checkModelId}
        error={errorAt('modelId')}
        onValue={(modelId) => onChange({ modelId })}
      />
      <SuggestField
        label="Tier"
        suggestions={tiersOf(models)}
        value={draft.modelTier}
        check={checkId}
        error={errorAt('modelTier')}
        hint="Replaces the tier of the model; blank: the model’s tier."
        onValue={(modelTier) => onChange({ modelTier })}
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
