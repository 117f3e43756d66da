import { useId } from 'preact/hooks'
import { ChoiceField, described, Labelled, NumberField, RequiredNote } from '../../parts/field.tsx'
import { CallerFields } from './caller-fields.tsx'
import { type Draft, type Mistakes, MOST_AT_ONCE, MOST_REQUESTS } from './draft.ts'

export interface DraftProps {
  readonly draft: Draft
  readonly mistakes: Mistakes
  change(fields: Partial<Draft>): void
}

interface Props extends DraftProps {
  readonly models: readonly string[]
  readonly isRunning: boolean
  onSend(): void
  onStop(): void
}

/** What to send, as whom, and how often. */
export const RequestForm = ({ models, isRunning, onSend, onStop, ...props }: Props) => {
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    onSend()
  }
  return (
    <form class="card" onSubmit={submit} noValidate aria-label="Request">
      <RequiredNote />
      <CallerFields {...props} />
      <ChatFields models={models} {...props} />
      <MessageField {...props} />
      <AmountFields {...props} />
      <div class="actions">
        {/* Disabled ones would lose the focus. */}
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

const ChatFields = ({
  models,
  draft,
  mistakes,
  change,
}: DraftProps & { readonly models: readonly string[] }) => (
  <div class="fields">
    <ChoiceField
      label="Model"
      value={draft.model}
      error={mistakes.model}
      options={models}
      onValue={(model) => change({ model })}
    />
    <NumberField
      label="max_tokens"
      min={1}
      value={draft.maxTokens}
      error={mistakes.maxTokens}
      onValue={(maxTokens) => change({ maxTokens })}
    />
  </div>
)

const MessageField = ({ draft, mistakes, change }: DraftProps) => {
  const id = useId()
  return (
    <Labelled id={id} label="Message" required error={mistakes.message}>
      <textarea
        {...described(id, mistakes.message)}
        rows={2}
        required
        value={draft.message}
        onInput={(event) => change({ message: event.currentTarget.value })}
      />
    </Labelled>
  )
}

const AmountFields = ({ draft, mistakes, change }: DraftProps) => (
  <div class="fields amount-fields">
    <NumberField
      label="Requests"
      min={1}
      max={MOST_REQUESTS}
      value={draft.count}
      required
      error={mistakes.count}
      hint={`1 to ${MOST_REQUESTS}`}
      onValue={(count) => change({ count })}
    />
    <NumberField
      label="At once"
      min={1}
      max={MOST_AT_ONCE}
      value={draft.parallelism}
      required
      error={mistakes.parallelism}
      hint={`1 to ${MOST_AT_ONCE}`}
      onValue={(parallelism) => change({ parallelism })}
    />
    <label class="check">
      <input
        type="checkbox"
        checked={draft.streams}
        onChange={(event) => change({ streams: event.currentTarget.checked })}
      />
      Stream the response
    </label>
  </div>
)
