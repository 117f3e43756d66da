import { checkLimitName } from '../../parts/checking/name-rules.ts'
import { ChoiceField, TextField } from '../../parts/field.tsx'
import { ALGORITHMS, type LimitDraft, METERS } from '../limit-draft.ts'
import type { LimitError } from '../limit-error.ts'
import { ALGORITHM_NAMES, METER_NAMES, meterOf, NAMES_ID } from '../limit-text.ts'
import { RuleFields } from './rule-fields.tsx'
import { SizeFields } from './size-fields.tsx'

interface Props {
  readonly draft: LimitDraft
  /** The names of the other limits of the form. */
  readonly others: readonly string[]
  readonly error: LimitError | undefined
  onDraft(draft: LimitDraft): void
  onRemove(): void
}

/** What the parts of a limit's form need. */
export interface PartProps extends Pick<Props, 'draft' | 'others'> {
  set(changes: Partial<LimitDraft>): void
  /** What is wrong with a field, by the API's names. */
  errorOf(...fields: readonly string[]): string | undefined
}

/** One limit of a form. */
export const LimitFields = ({ draft, others, error, onDraft, onRemove }: Props) => {
  const part: PartProps = {
    draft,
    others,
    set: (changes) => onDraft({ ...draft, ...changes }),
    errorOf: (...fields) => (error !== undefined && fields.includes(error.field) ? error.text : undefined),
  }
  const title = draft.name || 'new limit'
  return (
    <fieldset class="limit-fields">
      <legend>{title}</legend>
      <button
        class="button small limit-remove"
        type="button"
        onClick={onRemove}
        aria-label={`Remove ${title}`}
      >
        Remove
      </button>
      <div class="fields">
        <IdentityFields {...part} />
      </div>
      <div class="fields">
        <SizeFields {...part} />
      </div>
      <RuleFields {...part} />
    </fieldset>
  )
}

const IdentityFields = ({ draft, others, set, errorOf }: PartProps) => {
  const checkName = (name: string) =>
    checkLimitName(name) ??
    (others.includes(name) ? 'Must be unique: another limit here has this name' : undefined)
  const byName = `By its name: ${METER_NAMES[meterOf({ name: draft.name.trim() })]}`
  return (
    <>
      <TextField
        label="Name"
        value={draft.name}
        required
        list={NAMES_ID}
        check={checkName}
        error={errorOf('name')}
        onValue={(name) => set({ name })}
      />
      <ChoiceField
        label="Counts"
        value={draft.meter}
        options={[['', byName], ...METERS.map((meter) => [meter, METER_NAMES[meter]] as const)]}
        error={errorOf('meter')}
        onValue={(meter) => set({ meter })}
      />
      <ChoiceField
        label="Algorithm"
        value={draft.algorithm}
        options={ALGORITHMS.map((algorithm) => [algorithm, ALGORITHM_NAMES[algorithm]] as const)}
        error={errorOf('algorithm')}
        onValue={(algorithm) => set({ algorithm })}
      />
    </>
  )
}
