import { useState } from 'preact/hooks'
import { ApiError, fieldErrorOf } from '../api/errors.ts'
import { useAction, useQuery } from '../api/hooks.ts'
import type { Model, Models, Policy } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { Dialog, FormActions } from '../parts/dialog.tsx'
import { ChoiceField, EntityField, RequiredNote, SuggestField, TextField } from '../parts/fields.tsx'
import { checkId, checkModelId } from '../parts/name-rules.ts'
import { ErrorNotice } from '../parts/notices.tsx'
import {
  draftedKey,
  type KeyDraft,
  NAMED_SCOPES,
  NEW_KEY,
  type PolicyKey,
  policyPath,
  SCOPES,
} from './policy-key.ts'

interface NewPolicyProps {
  /** `existing` is the policy of this key, if there is one. */
  onKey(key: PolicyKey, existing: Policy | undefined): void
  onClose(): void
}

const OPTIONS = SCOPES.map(({ scope, name }) => [scope, `${name} (${scope})`] as const)

/** Selects what a new policy applies to, before its limits. */
export const NewPolicy = ({ onKey, onClose }: NewPolicyProps) => {
  const { api } = useSession()
  const [draft, setDraft] = useState(NEW_KEY)
  const models = useQuery((signal) => api.get<Models>('api/models', {}, signal), [])
  const lookup = useAction(async () => {
    const key = draftedKey(draft)
    onKey(key, await api.get<Policy>(policyPath(key)).catch(undefinedIfNotFound))
  })
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    void lookup.run()
  }
  const change = (changes: Partial<KeyDraft>) => {
    lookup.clear()
    setDraft({ ...draft, ...changes })
  }
  const error = fieldErrorOf(lookup.error, 'selector')
  const { meaning } = SCOPES.find(({ scope }) => scope === draft.scope) ?? {}
  return (
    <Dialog title="New policy" onClose={onClose}>
      <form class="dialog-form" onSubmit={submit}>
        <ChoiceField
          label="Applies to"
          value={draft.scope}
          options={OPTIONS}
          hint={meaning}
          onValue={(value) => change({ scope: scopeOf(value) })}
        />
        {draft.scope !== 'GLOBAL' && NAMED_SCOPES[draft.scope] === undefined && <RequiredNote />}
        <SelectorFields draft={draft} models={models.data?.items ?? []} error={error} onChange={change} />
        <ErrorNotice error={error === undefined ? lookup.error : undefined} />
        <FormActions submit="Continue to its limits" isRunning={lookup.isRunning} onCancel={onClose} />
      </form>
    </Dialog>
  )
}

const scopeOf = (value: string): KeyDraft['scope'] =>
  SCOPES.find(({ scope }) => scope === value)?.scope ?? NEW_KEY.scope

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
    suggestions={[...new Set(models.flatMap(({ tier }) => tier ?? []))].toSorted()}
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
