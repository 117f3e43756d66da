import { useId, useState } from 'preact/hooks'
import { useSession } from '../api/session.tsx'
import { SegmentedControl } from '../parts/controls.tsx'
import {
  ChoiceField,
  EntityField,
  inputProps,
  LabelledField,
  NumberField,
  RequiredNote,
} from '../parts/fields.tsx'
import { MODEL_API_OPTIONS, MODEL_APIS } from './model-apis.ts'
import { type Draft, type DraftErrors, MAX_PARALLELISM, MAX_REQUESTS } from './request-draft.ts'

export interface RequestDraftProps {
  readonly draft: Draft
  readonly errors: DraftErrors
  change(fields: Partial<Draft>): void
}

interface RequestFormProps extends RequestDraftProps {
  readonly models: readonly string[]
  readonly isRunning: boolean
  onSend(): void
  onStop(): void
}

/** The request, its caller, and how often it is sent. */
export const RequestForm = ({ models, isRunning, onSend, onStop, ...props }: RequestFormProps) => {
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    onSend()
  }
  return (
    <form class="card" onSubmit={submit} noValidate aria-label="Request">
      <RequiredNote />
      <CallerFields {...props} />
      <ModelFields models={models} {...props} />
      <MessageField {...props} />
      <AmountFields {...props} />
      <div class="actions">
        {/* Disabled buttons would lose the focus. */}
        <button class="button primary" type="submit" aria-disabled={isRunning}>
          Send
        </button>
        <button class="button" type="button" aria-disabled={!isRunning} onClick={onStop}>
          Stop
        </button>
      </div>
    </form>
  )
}

const ModelFields = ({
  models,
  draft,
  errors,
  change,
}: RequestDraftProps & { readonly models: readonly string[] }) => {
  const { path, maximumField } = MODEL_APIS[draft.api]
  return (
    <>
      <ChoiceField
        label="Route"
        value={draft.api}
        options={MODEL_API_OPTIONS}
        hint={`POST /${path}`}
        onValue={(api) => change({ api })}
      />
      <div class="fields">
        <ChoiceField
          label="Model"
          value={draft.model}
          error={errors.model}
          options={models}
          onValue={(model) => change({ model })}
        />
        {maximumField !== undefined && (
          <NumberField
            label={maximumField}
            min={1}
            value={draft.maxTokens}
            error={errors.maxTokens}
            onValue={(maxTokens) => change({ maxTokens })}
          />
        )}
      </div>
    </>
  )
}

const MessageField = ({ draft, errors, change }: RequestDraftProps) => {
  const id = useId()
  return (
    <LabelledField id={id} label={MODEL_APIS[draft.api].prompt} required error={errors.message}>
      <textarea
        {...inputProps(id, errors.message)}
        rows={2}
        required
        value={draft.message}
        onInput={(event) => change({ message: event.currentTarget.value })}
      />
    </LabelledField>
  )
}

const AmountFields = ({ draft, errors, change }: RequestDraftProps) => (
  <div class="fields amount-fields">
    <NumberField
      label="Requests"
      min={1}
      max={MAX_REQUESTS}
      value={draft.count}
      required
      error={errors.count}
      hint={`1 to ${MAX_REQUESTS}`}
      onValue={(count) => change({ count })}
    />
    <NumberField
      label="At once"
      min={1}
      max={MAX_PARALLELISM}
      value={draft.parallelism}
      required
      error={errors.parallelism}
      hint={`1 to ${MAX_PARALLELISM}`}
      onValue={(parallelism) => change({ parallelism })}
    />
    {MODEL_APIS[draft.api].streamFields && (
      <label class="check">
        <input
          type="checkbox"
          checked={draft.streams}
          onChange={(event) => change({ streams: event.currentTarget.checked })}
        />
        Stream the response
      </label>
    )}
  </div>
)

const KINDS = [
  ['entity', 'As an entity'],
  ['key', 'With a key'],
] as const

/** The caller: an entity that the administrator acts for, or the owner of a pasted key. */
export const CallerFields = ({ draft, errors, change }: RequestDraftProps) => {
  const { mayWrite } = useSession()
  return (
    <div class="caller-fields">
      {mayWrite ? (
        <SegmentedControl
          label="Send as"
          value={draft.callerKind}
          options={KINDS}
          onValue={(callerKind) => change({ callerKind })}
        />
      ) : (
        <p class="quiet">
          The viewer token can only read, so it cannot send requests as an entity. Paste the key of a caller:
          the requests count against the limits of that caller.
        </p>
      )}
      {draft.callerKind === 'entity' ? (
        <EntityField
          label="Entity"
          placeholder="key-bob"
          value={draft.entityId}
          required
          error={errors.entityId}
          hint="Requests are sent as this entity, and its limits are charged."
          onValue={(entityId) => change({ entityId })}
        />
      ) : (
        <KeyField value={draft.key} error={errors.key} onKey={(key) => change({ key })} />
      )}
    </div>
  )
}

interface KeyProps {
  readonly value: string
  readonly error: string | undefined
  onKey(key: string): void
}

/** A key is used once it is complete: each wrong one counts as a failed authentication. */
const KeyField = ({ value, error, onKey }: KeyProps) => {
  const id = useId()
  // local state until the key is complete, so that it survives renders in between
  const [typed, setTyped] = useState(value)
  return (
    <LabelledField
      id={id}
      label="API key"
      required
      error={error}
      hint="Kept in memory only, and cleared when you leave this view."
    >
      <input
        {...inputProps(id, error)}
        type="password"
        required
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => onKey(event.currentTarget.value)}
      />
    </LabelledField>
  )
}
