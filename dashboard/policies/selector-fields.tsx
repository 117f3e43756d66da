import type { Model } from '../api/answers.ts'
import { checkId, checkModelId } from '../parts/checking/name-rules.ts'
import { TextField } from '../parts/field.tsx'
import { EntityField } from '../parts/suggesting/entity-field.tsx'
import { SuggestField } from '../parts/suggesting/suggest-field.tsx'
import type { KeyDraft } from './policy-key.ts'

interface Props {
  readonly draft: KeyDraft
  readonly models: readonly Model[]
  /** What is wrong with the selector. */
  readonly error?: string | undefined
  onChange(changes: Partial<KeyDraft>): void
}

/** Who or what a policy of the scope is for. */
export const SelectorFields = (props: Props) => {
  switch (props.draft.scope) {
    case 'USER_MODEL':
      return (
        <div class="fields">
          <UserField {...props} />
          <ModelField {...props} error={undefined} />
        </div>
      )
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

const UserField = ({ draft, error, onChange }: Props) => (
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

const ModelField = ({ draft, models, error, onChange }: Props) => (
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

const TierField = ({ draft, models, error, onChange }: Props) => (
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

const OwnerField = ({ draft, error, onChange }: Props) => (
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
