import { pathOf } from '../api/api.ts'
import { fieldErrorOf } from '../api/errors.ts'
import type { Upstream } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { ChoiceField, NumberField, RequiredNote, TextField } from '../parts/fields.tsx'
import { type DraftProps, FormDialog, useDraft } from '../parts/forms.tsx'
import type { ItemFormProps } from '../parts/item-section.tsx'
import { checkUpstreamName, SIGNING_SERVICES, UPSTREAM_KINDS } from '../parts/name-rules.ts'

const TIMEOUTS = [
  ['connect_timeout_seconds', 'Connect', '10'],
  ['first_byte_timeout_seconds', 'First byte', '600'],
  ['idle_timeout_seconds', 'Silence', '120'],
  ['total_timeout_seconds', 'Total', '900'],
] as const

const FIELDS = [
  'name',
  'kind',
  'base_url',
  'region',
  'signing_service',
  'secret',
  ...TIMEOUTS.map(([name]) => name),
  'adaptive',
]

/** Adds an upstream, or edits one. */
export const UpstreamForm = ({ item: upstream, onSaved, onClose }: ItemFormProps<Upstream>) => {
  const { api } = useSession()
  const { fields, action } = useDraft(upstream ? upstreamDraftOf(upstream) : NEW_UPSTREAM, (draft) =>
    api.send('PUT', pathOf('api/upstreams', draft.name.trim()), upstreamBody(draft, upstream)),
  )
  const isReal = fields.draft.kind !== 'simulated'
  return (
    <FormDialog
      title={upstream ? `Edit ${upstream.name}` : 'Add an upstream'}
      fieldNames={FIELDS}
      submit={upstream ? 'Save' : 'Add'}
      action={action}
      onDone={onSaved}
      onClose={onClose}
    >
      <RequiredNote />
      <IdentityFields {...fields} isNew={upstream === undefined} />
      {isReal && <AddressFields {...fields} />}
      {isReal && <TimeoutFields {...fields} />}
      {isReal && <AdaptiveField {...fields} />}
    </FormDialog>
  )
}

type FieldsProps = DraftProps<UpstreamDraft>

const IdentityFields = ({ draft, error, onChange, isNew }: FieldsProps & { readonly isNew: boolean }) => (
  <div class="fields">
    <TextField
      label="Name"
      value={draft.name}
      required
      disabled={!isNew}
      placeholder="openai"
      check={checkUpstreamName}
      error={fieldErrorOf(error, 'name')}
      hint="default: for models that name no upstream"
      onValue={(name) => onChange({ name })}
    />
    <ChoiceField
      label="Kind"
      value={draft.kind}
      options={UPSTREAM_KINDS}
      error={fieldErrorOf(error, 'kind')}
      hint="openai: any compatible API"
      onValue={(kind) => onChange({ kind })}
    />
  </div>
)

const URL_HINTS = {
  openai: 'with its path: https://api.openai.com/v1',
  anthropic: 'without /v1: https://api.anthropic.com',
  bedrock: 'blank: the public endpoint of the region',
  simulated: undefined,
} as const

const AddressFields = ({ draft, error, onChange }: FieldsProps) => (
  <>
    <TextField
      label="Base URL"
      value={draft.baseUrl}
      required={draft.kind !== 'bedrock'}
      error={fieldErrorOf(error, 'base_url')}
      hint={URL_HINTS[draft.kind]}
      onValue={(baseUrl) => onChange({ baseUrl })}
    />
    {draft.kind === 'bedrock' ? (
      <div class="fields">
        <TextField
          label="Region"
          value={draft.region}
          error={fieldErrorOf(error, 'region')}
          hint="blank: that of zael"
          onValue={(region) => onChange({ region })}
        />
        <ChoiceField
          label="Signed for"
          value={draft.signingService}
          options={[['', 'by the host'], ...SIGNING_SERVICES]}
          error={fieldErrorOf(error, 'signing_service')}
          onValue={(signingService) => onChange({ signingService })}
        />
      </div>
    ) : (
      <TextField
        label="Secret"
        value={draft.secret}
        placeholder="env:UPSTREAM_SECRET_OPENAI"
        error={fieldErrorOf(error, 'secret')}
        hint="a reference, never the key: env:UPSTREAM_SECRET_…, or the ARN of a secret; blank: none"
        onValue={(secret) => onChange({ secret })}
      />
    )}
  </>
)

const TimeoutFields = ({ draft, error, onChange }: FieldsProps) => (
  <fieldset class="model-prices">
    <legend>Timeouts in seconds</legend>
    <div class="fields">
      {TIMEOUTS.map(([field, label, fallback]) => (
        <NumberField
          key={field}
          label={label}
          value={draft[field]}
          min={0.1}
          step="any"
          hint={`blank: ${fallback}`}
          error={fieldErrorOf(error, field)}
          onValue={(value) => onChange({ [field]: value })}
        />
      ))}
    </div>
  </fieldset>
)

const AdaptiveField = ({ draft, error, onChange }: FieldsProps) => (
  <NumberField
    label="Adaptive floor"
    value={draft.adaptiveFloor}
    min={0.01}
    step="any"
    hint="blank: off; 0.1: while the upstream answers 429, callers keep at least a tenth of their limits"
    error={fieldErrorOf(error, 'adaptive')}
    onValue={(adaptiveFloor) => onChange({ adaptiveFloor })}
  />
)

type TimeoutField = (typeof TIMEOUTS)[number][0]

/** The state of the form; an empty text is the default. */
export interface UpstreamDraft extends Readonly<Record<TimeoutField, string>> {
  readonly name: string
  readonly kind: Upstream['kind']
  readonly baseUrl: string
  readonly region: string
  readonly signingService: string
  readonly secret: string
  /** Empty: not adaptive. */
  readonly adaptiveFloor: string
}

export const NEW_UPSTREAM: UpstreamDraft = {
  name: '',
  kind: 'openai',
  baseUrl: '',
  region: '',
  signingService: '',
  secret: '',
  adaptiveFloor: '',
  connect_timeout_seconds: '',
  first_byte_timeout_seconds: '',
  idle_timeout_seconds: '',
  total_timeout_seconds: '',
}

export const upstreamDraftOf = (upstream: Upstream): UpstreamDraft => ({
  name: upstream.name,
  kind: upstream.kind,
  baseUrl: upstream.base_url ?? '',
  region: upstream.region ?? '',
  signingService: upstream.signing_service ?? '',
  secret: upstream.secret ?? '',
  adaptiveFloor: upstream.adaptive === null ? '' : String(upstream.adaptive.floor),
  connect_timeout_seconds: String(upstream.connect_timeout_seconds),
  first_byte_timeout_seconds: String(upstream.first_byte_timeout_seconds),
  idle_timeout_seconds: String(upstream.idle_timeout_seconds),
  total_timeout_seconds: String(upstream.total_timeout_seconds),
})

/** The body of `PUT /api/upstreams/{name}`, which replaces `upstream`: its headers, which the form does not show, stay. */
export const upstreamBody = (draft: UpstreamDraft, upstream?: Upstream) => {
  const { kind } = draft
  if (kind === 'simulated') return { kind }
  return {
    kind,
    base_url: draft.baseUrl.trim() || null,
    ...(kind === 'bedrock'
      ? { region: draft.region.trim() || null, signing_service: draft.signingService || null }
      : { secret: draft.secret.trim() || null }),
    ...(upstream && { headers: upstream.headers }),
    adaptive: draft.adaptiveFloor.trim() === '' ? null : { floor: Number(draft.adaptiveFloor) },
    ...Object.fromEntries(
      TIMEOUTS.flatMap(([field]) => (draft[field].trim() === '' ? [] : [[field, Number(draft[field])]])),
    ),
  }
}
