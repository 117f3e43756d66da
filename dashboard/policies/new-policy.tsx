import { ApiError, fieldErrorOf } from '../api/errors.ts'
import { tiersOf, useModels } from '../api/hooks.ts'
import type { Model, Policy } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { ChoiceField, EntityField, RequiredNote, SuggestField, TextField } from '../parts/fields.tsx'
import { FormDialog, useDraft } from '../parts/forms.tsx'
import { checkId, checkModelId } from '../parts/name-rules.ts'
import {
  EVERY_NAME,
  NAMED_SCOPES,
  type PolicyKey,
  type PolicyScope,
  policyPath,
  SCOPES,
} from '../parts/policy-key.ts'

interface NewPolicyProps {
  /** `existing` is the policy of this key, if there is one. */
  onKey(key: PolicyKey, existing: Policy | undefined): void
  onClose(): void
}

const OPTIONS = SCOPES.map(({ scope, name }) => [scope, `${name} (${scope})`] as const)

/** Selects what a new policy applies to, before its limits. */
export const NewPolicy = ({ onKey, onClose }: NewPolicyProps) => {
  const { api } = useSession()
  const models = useModels().data?.items ?? []
  const { fields, action } = useDraft(NEW_KEY, async (draft) => {
    const key = draftedKey(draft)
    onKey(key, await api.get<Policy>(policyPath(key)).catch(undefinedIfNotFound))
  })
  const { draft, onChange } = fields
  const { meaning } = SCOPES.find(({ scope }) => scope === draft.scope) ?? {}
  return (
    <FormDialog
      title="New policy"
      fieldNames={['selector']}
      submit="Continue to its limits"
      action={action}
      onClose={onClose}
    >
      <ChoiceField
        label="Applies to"
        value={draft.scope}
        options={OPTIONS}
        hint={meaning}
        onValue={(scope) => onChange({ scope })}
      />
      {draft.scope !== 'GLOBAL' && NAMED_SCOPES[draft.scope] === undefined && <RequiredNote />}
      <SelectorFields {...fields} models={models} error={fieldErrorOf(fields.error, 'selector')} />
    </FormDialog>
  )
}

const undefinedIfNotFound = (error: unknown): undefined => {
  if (!(error instanceof ApiError) || error.status !== 404) throw error
}

interface SelectorFieldsProps {
  readonly draft: KeyDraft
  readonly models: readonly Model[]
  /** The error of the selector. */
  readonly error?: string | undefined
  onChange(changes: Partial<KeyDraft>): void
}

/** The fields of the selector of a scope. */
export const SelectorFields = (props: SelectorFieldsProps) => {
  switch (props.draft.scope) {
    case 'USER_MODEL':
      return (
        <div class="fields">
          <UserField {...props} />
          <ModelField {...props} error={undefined} />
        </div>
      )
    case 'SESSION':
    case 'USER':
      return <NameField {...props} />
    case 'MODEL':
      return <ModelField {...props} />
    case 'MODEL_TIER':
      return <TierField {...props} />
    case 'GLOBAL':
      return null
    default:
      return <OwnerField {...props} />
  }
}

const UserField = ({ draft, error, onChange }: SelectorFieldsProps) => (
  <TextField
    label="User"
    value={draft.user}
    required
    check={checkId}
    error={error}
    hint="as requests name them"
    onValue={(user) => onChange({ user })}
  />
)

const NameField = ({ draft, error, onChange }: SelectorFieldsProps) => {
  const what = NAMED_SCOPES[draft.scope] ?? 'name'
  return (
    <TextField
      label={draft.scope === 'USER' ? 'User' : 'Session'}
      value={draft.name}
      check={checkId}
      error={error}
      hint={`Only this ${what}, in place of the policy of all; blank: every ${what}.`}
      onValue={(name) => onChange({ name })}
    />
  )
}

const ModelField = ({ draft, models, error, onChange }: SelectorFieldsProps) => (
  <SuggestField
    label="Model"
    value={draft.model}
    required
    check={checkModelId}
    error={error}
    hint="a registered one"
    suggestions={models.map(({ model_id }) => model_id)}
    onValue={(model) => onChange({ model })}
  />
)

const TierField = ({ draft, models, error, onChange }: SelectorFieldsProps) => (
  <SuggestField
    label="Tier"
    value={draft.tier}
    required
    check={checkId}
    error={error}
    hint="the tier of registered models"
    suggestions={tiersOf(models).toSorted()}
    onValue={(tier) => onChange({ tier })}
  />
)

const OwnerField = ({ draft, error, onChange }: SelectorFieldsProps) => (
  <EntityField
    label={draft.scope === 'TENANT' ? 'Tenant' : 'Entity'}
    value={draft.entity}
    required
    check={checkId}
    error={error}
    hint="the id of an entity"
    onValue={(entity) => onChange({ entity })}
  />
)

/** The state of the form of a new policy. */
export interface KeyDraft {
  readonly scope: PolicyScope
  readonly user: string
  readonly model: string
  readonly entity: string
  readonly tier: string
  /** The user or the session; blank: all. */
  readonly name: string
}

export const NEW_KEY: KeyDraft = { scope: 'TENANT', user: '', model: '', entity: '', tier: '', name: '' }

const PARTS: Readonly<Record<PolicyScope, (draft: KeyDraft) => readonly string[]>> = {
  USER_MODEL: ({ user, model }) => [user, model],
  SESSION: ({ name }) => [name.trim() || EVERY_NAME],
  USER: ({ name }) => [name.trim() || EVERY_NAME],
  API_KEY: ({ entity }) => [entity],
  TENANT: ({ entity }) => [entity],
  MODEL: ({ model }) => [model],
  MODEL_TIER: ({ tier }) => [tier],
  GLOBAL: () => ['*'],
}

export const draftedKey = (draft: KeyDraft): PolicyKey => ({
  scope: draft.scope,
  parts: PARTS[draft.scope](draft).map((part) => part.trim()),
})
