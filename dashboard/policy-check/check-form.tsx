import type { Models } from '../api/answers.ts'
import { fieldErrorOf, isAtField } from '../api/field-error.ts'
import { useSession } from '../api/session.tsx'
import { useAnswer } from '../api/use-answer.ts'
import { checkId, checkModelId } from '../parts/checking/name-rules.ts'
import { RequiredNote } from '../parts/field.tsx'
import { ErrorNotice } from '../parts/notice.tsx'
import { EntityField } from '../parts/suggesting/entity-field.tsx'
import { SuggestField } from '../parts/suggesting/suggest-field.tsx'
import type { CheckDraft } from './check-draft.ts'

interface Props {
  readonly draft: CheckDraft
  readonly error: Error | undefined
  change(fields: Partial<CheckDraft>): void
  onCheck(): void
}

/** Who asks for what. */
export const CheckForm = ({ draft, error, change, onCheck }: Props) => {
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
        <SuggestField
          label="User"
          suggestions={[]}
          value={draft.userId}
          required
          check={checkId}
          error={errorAt('userId')}
          onValue={(userId) => change({ userId })}
        />
        <ModelFields draft={draft} errorAt={errorAt} change={change} />
        <EntityField
          label="Key"
          value={draft.apiKey}
          check={checkId}
          error={errorAt('apiKey')}
          hint="The id of a key’s entity, for its API_KEY policy; blank: none."
          onValue={(apiKey) => change({ apiKey })}
        />
      </div>
      {!isAtField(error, Object.keys(draft)) && <ErrorNotice error={error} />}
      <div class="actions check-actions">
        <button class="button primary" type="submit">
          Check Rate Limit
        </button>
        <p class="quiet check-note">Each allowed check counts as one request in every policy that applies.</p>
      </div>
    </form>
  )
}

interface ModelProps extends Pick<Props, 'draft' | 'change'> {
  errorAt(name: keyof CheckDraft): string | undefined
}

const ModelFields = ({ draft, errorAt, change }: ModelProps) => {
  const { api } = useSession()
  const { data } = useAnswer((signal) => api.get<Models>('api/models', undefined, signal), [])
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
