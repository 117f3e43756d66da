import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { fieldErrorOf, isFieldError } from '../api/errors.ts'
import { useAction } from '../api/hooks.ts'
import type { Model } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { Dialog, FormActions } from '../parts/dialog.tsx'
import { NumberField, RequiredNote, SuggestField, TextField } from '../parts/fields.tsx'
import { checkId, checkModelId, MAX_MODEL_UPSTREAMS } from '../parts/name-rules.ts'
import { ErrorNotice } from '../parts/notices.tsx'
import { ModelUpstreams, type UpstreamRowDraft } from './model-upstreams.tsx'

interface ModelFormProps {
  /** Undefined for a new model. */
  readonly model: Model | undefined
  readonly tiers: readonly string[]
  onSaved(): void
  onClose(): void
}

const UPSTREAM_ROWS = Array.from({ length: MAX_MODEL_UPSTREAMS }, (_, index) => `upstreams[${index}]`)

const FIELDS = ['model_id', 'id', 'tier', 'prices', 'max_output_tokens', ...UPSTREAM_ROWS]

/** Registers a model, or edits it. */
export const ModelForm = ({ model, tiers, onSaved, onClose }: ModelFormProps) => {
  const { api } = useSession()
  const [draft, setDraft] = useState(model ? modelDraftOf(model) : NEW_MODEL)
  const saving = useAction(() =>
    api.send('PUT', pathOf('api/models', draft.id.trim()), modelBody(draft, model)),
  )
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
      <form class="dialog-form" onSubmit={submit}>
        <RequiredNote />
        <IdentityFields {...fields} isNew={model === undefined} tiers={tiers} />
        <PriceFields {...fields} />
        <ModelUpstreams
          rows={draft.upstreams}
          error={saving.error}
          onRows={(upstreams) => fields.onChange({ upstreams })}
        />
        <NumberField
          label="Bound of output"
          value={draft.maxOutput}
          min={1}
          step={1}
          hint="tokens of a response whose request names no maximum; blank: 4096"
          error={fieldErrorOf(saving.error, 'max_output_tokens')}
          onValue={(maxOutput) => fields.onChange({ maxOutput })}
        />
        <ErrorNotice error={isFieldError(saving.error, FIELDS) ? undefined : saving.error} />
        <FormActions submit={model ? 'Save' : 'Register'} isRunning={saving.isRunning} onCancel={onClose} />
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
        <NumberField
          {...price}
          label="Cache write"
          value={draft.cacheWrite}
          hint="blank: as input"
          error={fieldErrorOf(error, 'prices.cache_write_per_million')}
          onValue={(cacheWrite) => onChange({ cacheWrite })}
        />
      </div>
      <p class="field-hint">Without prices, requests for it are not charged to budgets. 0 means free.</p>
    </fieldset>
  )
}

/** The state of the form. */
export interface ModelDraft {
  readonly id: string
  readonly tier: string
  /** US dollars per million tokens; if all four are empty, the model has no prices. */
  readonly input: string
  readonly output: string
  readonly cached: string
  readonly cacheWrite: string
  readonly upstreams: readonly UpstreamRowDraft[]
  /** Empty: the default. */
  readonly maxOutput: string
}

export const NEW_MODEL: ModelDraft = {
  id: '',
  tier: '',
  input: '',
  output: '',
  cached: '',
  cacheWrite: '',
  upstreams: [],
  maxOutput: '',
}

export const modelDraftOf = ({
  model_id,
  tier,
  prices,
  upstreams,
  max_output_tokens,
}: Model): ModelDraft => ({
  id: model_id,
  tier: tier ?? '',
  input: text(prices?.input_per_million),
  output: text(prices?.output_per_million),
  cached: text(prices?.cached_input_per_million),
  cacheWrite: text(prices?.cache_write_per_million),
  upstreams: upstreams.map(({ upstream, model }, key) => ({ key, upstream, model: model ?? '' })),
  maxOutput: String(max_output_tokens),
})

const text = (price: number | undefined): string => (price === undefined ? '' : String(price))

/** Whether any price is given: then input and output are required. */
export const hasPrices = ({ input, output, cached, cacheWrite }: ModelDraft): boolean =>
  [input, output, cached, cacheWrite].some((price) => price.trim() !== '')

/** The body of `PUT /api/models/{id}`, which replaces the model: what the form does not show stays as it is in `model`. */
export const modelBody = (draft: ModelDraft, model?: Model) => ({
  tier: draft.tier.trim() || null,
  upstreams: draft.upstreams.map(({ upstream, model: there }) => ({
    upstream: upstream.trim(),
    model: there.trim() || null,
  })),
  ...(model !== undefined && { token_weights: model.token_weights }),
  ...(draft.maxOutput.trim() !== '' && { max_output_tokens: Number(draft.maxOutput) }),
  prices: hasPrices(draft)
    ? {
        ...keptPrices(model?.prices ?? null),
        input_per_million: Number(draft.input),
        output_per_million: Number(draft.output),
        ...(draft.cached.trim() !== '' && { cached_input_per_million: Number(draft.cached) }),
        ...(draft.cacheWrite.trim() !== '' && { cache_write_per_million: Number(draft.cacheWrite) }),
      }
    : null,
})

const keptPrices = (prices: Model['prices']) => {
  if (prices === null) return {}
  const { cached_input_per_million: _, cache_write_per_million: __, ...kept } = prices
  return kept
}

const DOLLARS = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 2,
  maximumFractionDigits: 6,
})

/** `$2.50 in, $1.25 cached, $10.00 out` */
export const pricesText = (prices: Model['prices']): string => {
  if (prices === null) return 'no prices'
  const { input_per_million: input, output_per_million: output, cached_input_per_million: cached } = prices
  return [
    `${DOLLARS.format(input)} in`,
    ...(cached === undefined ? [] : [`${DOLLARS.format(cached)} cached`]),
    `${DOLLARS.format(output)} out`,
  ].join(', ')
}
