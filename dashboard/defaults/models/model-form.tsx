import { useState } from 'preact/hooks'
import type { Model } from '../../api/answers.ts'
import { pathOf } from '../../api/api.ts'
import { fieldErrorOf, isAtField } from '../../api/field-error.ts'
import { useSession } from '../../api/session.tsx'
import { useAction } from '../../api/use-action.ts'
import { checkId, checkModelId } from '../../parts/checking/name-rules.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { NumberField, RequiredNote, TextField } from '../../parts/field.tsx'
import { ErrorNotice } from '../../parts/notice.tsx'
import { SuggestField } from '../../parts/suggesting/suggest-field.tsx'
import { hasPrices, type ModelDraft, modelBody, modelDraftOf, NEW_MODEL } from './model-draft.ts'

interface Props {
  /** Undefined: a new one. */
  readonly model: Model | undefined
  readonly tiers: readonly string[]
  onSaved(): void
  onClose(): void
}

const FIELDS = ['model_id', 'id', 'tier', 'prices']

/** Registers a model, or edits its tier and prices. */
export const ModelForm = ({ model, tiers, onSaved, onClose }: Props) => {
  const { api } = useSession()
  const [draft, setDraft] = useState(model ? modelDraftOf(model) : NEW_MODEL)
  const saving = useAction(() => api.send('PUT', pathOf('api/models', draft.id.trim()), modelBody(draft)))
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (await saving.run()) onSaved()
  }
  const fields = {
    draft,
    error: saving.error,
    onChange: (changes: Partial<ModelDraft>) => {
      saving.clear()
      setDraft({ ...draft, ...changes })
    },
  }
  return (
    <Dialog title={model ? `Edit ${model.model_id}` : 'Register a model'} onClose={onClose}>
      <form class="model-form" onSubmit={submit}>
        <RequiredNote />
        <IdentityFields {...fields} isNew={model === undefined} tiers={tiers} />
        <PriceFields {...fields} />
        <ErrorNotice error={isAtField(saving.error, FIELDS) ? undefined : saving.error} />
        <div class="actions">
          <button class="button" type="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button primary" type="submit" disabled={saving.isRunning}>
            {model ? 'Save' : 'Register'}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

interface FieldsProps {
  readonly draft: ModelDraft
  readonly error: Error | undefined
  onChange(changes: Partial<ModelDraft>): void
}

const IdentityFields = ({
  draft,
  error,
  onChange,
  isNew,
  tiers,
}: FieldsProps & { readonly isNew: boolean; readonly tiers: readonly string[] }) => (
  <div class="fields">
    <TextField
      label="Model"
      value={draft.id}
      required
      disabled={!isNew}
      placeholder="gpt-4o"
      check={checkModelId}
      error={fieldErrorOf(error, 'model_id') ?? fieldErrorOf(error, 'id')}
      hint="as requests name it"
      onValue={(id) => onChange({ id })}
    />
    <SuggestField
      label="Tier"
      value={draft.tier}
      suggestions={tiers}
      check={checkId}
      error={fieldErrorOf(error, 'tier')}
      hint="for MODEL_TIER policies; blank: none"
      onValue={(tier) => onChange({ tier })}
    />
  </div>
)

const PriceFields = ({ draft, error, onChange }: FieldsProps) => {
  const isNeeded = hasPrices(draft)
  const price = { min: 0, step: 'any' } as const
  return (
    <fieldset class="model-prices">
      <legend>US dollars per million tokens</legend>
      <div class="fields">
        <NumberField
          {...price}
          label="Input"
          value={draft.input}
          required={isNeeded}
          error={fieldErrorOf(error, 'prices.input_per_million')}
          onValue={(input) => onChange({ input })}
        />
        <NumberField
          {...price}
          label="Output"
          value={draft.output}
          required={isNeeded}
          error={fieldErrorOf(error, 'prices.output_per_million')}
          onValue={(output) => onChange({ output })}
        />
        <NumberField
          {...price}
          label="Cached input"
          value={draft.cached}
          hint="blank: as input"
          error={fieldErrorOf(error, 'prices.cached_input_per_million')}
          onValue={(cached) => onChange({ cached })}
        />
      </div>
      <p class="field-hint">Without prices, requests for it are not charged to budgets. 0 means free.</p>
    </fieldset>
  )
}
