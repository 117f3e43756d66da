import { METERS } from '../../src/core/model/meter.ts'
import { errorFieldOf, withoutField } from '../api/errors.ts'
import { ChoiceField, NumberField, TextField } from '../parts/fields.tsx'
import { checkLimitName } from '../parts/name-rules.ts'
import { type LimitDraft, sizeValues } from './limit-draft.ts'
import { METER_NAMES, meterOf, NAMES_ID } from './limit-text.ts'
import { ScheduleFields } from './schedule-fields.tsx'
import { algorithmOptions, sizeFormOf } from './size-forms.ts'

/** The props of the parts of a limit's form. */
interface FieldsProps {
  readonly draft: LimitDraft
  /** The names of the other limits of the form. */
  readonly others: readonly string[]
  set(changes: Partial<LimitDraft>): void
  /** The error of the first of these fields that has one; named as in the API. */
  errorOf(...fields: readonly string[]): string | undefined
}

interface LimitFieldsProps extends Pick<FieldsProps, 'draft' | 'others'> {
  readonly error: LimitError | undefined
  onDraft(draft: LimitDraft): void
  onRemove(): void
}

/** One limit of a form. */
export const LimitFields = ({ draft, others, error, onDraft, onRemove }: LimitFieldsProps) => {
  const part: FieldsProps = {
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
      <ScheduleFields {...part} />
      <RuleFields {...part} />
    </fieldset>
  )
}

const IdentityFields = ({ draft, others, set, errorOf }: FieldsProps) => {
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
        options={algorithmOptions()}
        error={errorOf('algorithm')}
        onValue={(algorithm) => set({ algorithm })}
      />
    </>
  )
}

/** The fields of the algorithm. */
const SizeFields = ({ draft, set, errorOf }: FieldsProps) => {
  const { Fields } = sizeFormOf(draft.algorithm)
  return (
    <Fields
      draft={draft}
      values={sizeValues(draft)}
      setAmount={(amount) => set({ amount })}
      set={(field, text) => set({ size: { ...draft.size, [field]: text } })}
      errorOf={errorOf}
    />
  )
}

const MODE_OPTIONS = [
  ['', 'enforce: denies'],
  ['warn', 'warn: only warns callers'],
  ['shadow', 'shadow: only counts'],
] as const

const REFUND_OPTIONS = [
  ['', 'strict: not yet refilled'],
  ['full', 'full: all that is unused'],
] as const

const UNAVAILABLE_OPTIONS = [
  ['', 'as configured'],
  ['deny', 'deny'],
  ['allow', 'allow'],
  ['local', 'local: a share per process'],
] as const

/** Rarely used fields, closed unless one of them is set. */
export const RuleFields = (props: FieldsProps) => (
  <details class="limit-rules" open={hasRules(props.draft)}>
    <summary>Advanced</summary>
    <div class="fields">
      <BehaviourFields {...props} />
      <ShareFields {...props} />
    </div>
  </details>
)

const hasRules = ({ original }: LimitDraft): boolean =>
  original !== undefined &&
  [
    original.mode,
    original.warn_at,
    original.refund,
    original.on_unavailable,
    original.lease_ttl_seconds,
    original.headroom,
  ].some((rule) => rule !== undefined)

const BehaviourFields = ({ draft, set, errorOf }: FieldsProps) => (
  <>
    <ChoiceField
      label="Mode"
      value={draft.mode}
      options={MODE_OPTIONS}
      error={errorOf('mode')}
      onValue={(mode) => set({ mode })}
    />
    <ChoiceField
      label="Refunds"
      value={draft.refund}
      options={REFUND_OPTIONS}
      error={errorOf('refund')}
      hint="of what was reserved and not used"
      onValue={(refund) => set({ refund })}
    />
    <ChoiceField
      label="If the store is unavailable"
      value={draft.onUnavailable}
      options={UNAVAILABLE_OPTIONS}
      error={errorOf('on_unavailable')}
      onValue={(onUnavailable) => set({ onUnavailable })}
    />
  </>
)

const ShareFields = ({ draft, set, errorOf }: FieldsProps) => (
  <>
    <NumberField
      label="Warn from"
      value={draft.warnAt}
      step="any"
      error={errorOf('warn_at')}
      hint="share in use: default 0.8"
      onValue={(warnAt) => set({ warnAt })}
    />
    <NumberField
      label="Charge ahead, seconds"
      value={draft.leaseTtlSeconds}
      step="any"
      error={errorOf('lease_ttl_seconds')}
      hint="0: never; blank: as configured"
      onValue={(leaseTtlSeconds) => set({ leaseTtlSeconds })}
    />
    <NumberField
      label="Kept from normal priority"
      value={draft.headroomNormal}
      step="any"
      error={errorOf('headroom', 'headroom.normal')}
      hint="share of the capacity, for example 0.1"
      onValue={(headroomNormal) => set({ headroomNormal })}
    />
    <NumberField
      label="Kept from low priority"
      value={draft.headroomLow}
      step="any"
      error={errorOf('headroom.low')}
      hint="share of the capacity, for example 0.3"
      onValue={(headroomLow) => set({ headroomLow })}
    />
  </>
)

/** An error of the API about one field of one limit. */
export interface LimitError {
  readonly index: number
  /** Named as in the API: `capacity`, `headroom.low`. */
  readonly field: string
  /** `Must be a positive integer` */
  readonly text: string
}

/** The field of a limit that an error names, if it names one (`limits[0].capacity`). */
export const limitErrorOf = (error: Error | undefined): LimitError | undefined => {
  const [whole, index, field] = /^limits\[(\d+)\]\.(.+)$/.exec(errorFieldOf(error) ?? '') ?? []
  if (error === undefined || whole === undefined || field === undefined) return undefined
  return { index: Number(index), field, text: withoutField(error.message, whole) }
}
