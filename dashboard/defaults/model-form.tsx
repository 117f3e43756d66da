import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { fieldErrorOf } from '../api/errors.ts'
import { tiersOf } from '../api/hooks.ts'
import type { Model } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { NumberField, RequiredNote, SuggestField, TextField } from '../parts/fields.tsx'
import { type DraftProps, FormDialog, useDraft } from '../parts/forms.tsx'
import type { ItemFormProps } from '../parts/item-section.tsx'
import { checkId, checkModelId, MAX_MODEL_UPSTREAMS } from '../parts/name-rules.ts'
import {
  BASE_PRICES,
  FURTHER_PRICES,
  hasPrices,
  isAnySet,
  type NumberTexts,
  numbersOf,
  type PriceGroup,
  textsOf,
  WEIGHTS,
} from './model-prices.ts'
import { ModelUpstreams, type UpstreamRowDraft } from './model-upstreams.tsx'

const UPSTREAM_ROWS = Array.from({ length: MAX_MODEL_UPSTREAMS }, (_, index) => `upstreams[${index}]`)

const FIELDS = ['model_id', 'id', 'tier', 'prices', 'token_weights', 'max_output_tokens', ...UPSTREAM_ROWS]

/** Registers a model, or edits it. */
export const ModelForm = ({ item: model, items: models, onSaved, onClose }: ItemFormProps<Model>) => {
  const { api } = useSession()
  const { fields, action } = useDraft(model ? modelDraftOf(model) : NEW_MODEL, (draft) =>
    api.send('PUT', pathOf('api/models', draft.id.trim()), modelBody(draft)),
  )
  const { draft, error, onChange } = fields
  return (
    <FormDialog
      title={model ? `Edit ${model.model_id}` : 'Register a model'}
      fieldNames={FIELDS}
      submit={model ? 'Save' : 'Register'}
      action={action}
      onDone={onSaved}
      onClose={onClose}
    >
      <RequiredNote />
      <IdentityFields {...fields} isNew={model === undefined} tiers={tiersOf(models).toSorted()} />
      <PriceFields {...fields} />
      <ModelUpstreams rows={draft.upstreams} error={error} onRows={(upstreams) => onChange({ upstreams })} />
      <NumberField
        label="Bound of output"
        value={draft.maxOutput}
        min={1}
        step={1}
        hint="tokens of a response whose request names no maximum; blank: 4096"
        error={fieldErrorOf(error, 'max_output_tokens')}
        onValue={(maxOutput) => onChange({ maxOutput })}
      />
    </FormDialog>
  )
}

type FieldsProps = DraftProps<ModelDraft>

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
  const ofPrices = {
    texts: draft.prices,
    prefix: 'prices.',
    error,
    onTexts: (prices: NumberTexts) => onChange({ prices }),
  }
  // what is open stays open while its fields are emptied
  const [areFurtherSet] = useState(FURTHER_PRICES.some(({ fields }) => isAnySet(draft.prices, fields)))
  const [areWeightsSet] = useState(isAnySet(draft.weights, WEIGHTS.fields))
  return (
    <>
      <NumberGroup {...ofPrices} group={BASE_PRICES} isRequired={hasPrices(draft.prices)} />
      <details open={areFurtherSet || hasFurtherError(error)}>
        <summary>Long contexts, service tiers, images and audio</summary>
        {FURTHER_PRICES.map((group) => (
          <NumberGroup
            key={group.legend}
            {...ofPrices}
            group={group}
            isRequired={isAnySet(draft.prices, group.fields)}
          />
        ))}
      </details>
      <details open={areWeightsSet}>
        <summary>Weights of tokens</summary>
        <NumberGroup
          texts={draft.weights}
          prefix="token_weights."
          group={WEIGHTS}
          isRequired={false}
          error={error}
          onTexts={(weights) => onChange({ weights })}
        />
      </details>
    </>
  )
}

const hasFurtherError = (error: Error | undefined): boolean =>
  FURTHER_PRICES.some(({ fields }) =>
    fields.some(({ path }) => fieldErrorOf(error, `prices.${path}`) !== undefined),
  )

interface GroupProps {
  readonly group: PriceGroup
  readonly texts: NumberTexts
  /** Of the fields in the API. */
  readonly prefix: string
  readonly isRequired: boolean
  readonly error: Error | undefined
  onTexts(texts: NumberTexts): void
}

const NumberGroup = ({ group, texts, prefix, isRequired, error, onTexts }: GroupProps) => (
  <fieldset class="model-prices">
    <legend>{group.legend}</legend>
    <div class="fields">
      {group.fields.map(({ path, label, hint, isBasic = false, step }) => (
        <NumberField
          key={path}
          min={0}
          step={step ?? 'any'}
          label={label}
          value={texts[path] ?? ''}
          required={isBasic && isRequired}
          hint={hint}
          error={fieldErrorOf(error, prefix + path)}
          onValue={(text) => onTexts({ ...texts, [path]: text })}
        />
      ))}
    </div>
    {group.note !== undefined && <p class="field-hint">{group.note}</p>}
  </fieldset>
)

/** The state of the form. */
export interface ModelDraft {
  readonly id: string
  readonly tier: string
  /** By path within `prices`; if all are empty, the model has no prices. */
  readonly prices: NumberTexts
  /** By name within `token_weights`. */
  readonly weights: NumberTexts
  readonly upstreams: readonly UpstreamRowDraft[]
  /** Empty: the default. */
  readonly maxOutput: string
}

export const NEW_MODEL: ModelDraft = {
  id: '',
  tier: '',
  prices: {},
  weights: {},
  upstreams: [],
  maxOutput: '',
}

export const modelDraftOf = (model: Model): ModelDraft => ({
  id: model.model_id,
  tier: model.tier ?? '',
  prices: textsOf(model.prices),
  weights: textsOf(model.token_weights),
  upstreams: model.upstreams.map(({ upstream, model }, key) => ({ key, upstream, model: model ?? '' })),
  maxOutput: String(model.max_output_tokens),
})

/** The body of `PUT /api/models/{id}`, which replaces the model. */
export const modelBody = (draft: ModelDraft) => ({
  tier: draft.tier.trim() || null,
  upstreams: draft.upstreams.map(({ upstream, model: there }) => ({
    upstream: upstream.trim(),
    model: there.trim() || null,
  })),
  ...(draft.maxOutput.trim() !== '' && { max_output_tokens: Number(draft.maxOutput) }),
  prices: numbersOf(draft.prices),
  token_weights: numbersOf(draft.weights),
})
