import { CALENDAR_UNITS, PERIODS } from '../../src/core/model/limit.ts'
import { errorFieldOf, withoutField } from '../api/errors.ts'
import { isMoney } from '../parts/amounts.ts'
import { ChoiceField, NumberField, TextField } from '../parts/fields.tsx'
import { draftMeter, isPausedDraft, type LimitDraft, refillRateOf, withPeriod } from './limit-draft.ts'
import { pausedText, refillText, windowText } from './limit-text.ts'

/** The props of the parts of a limit's form. */
export interface FieldsProps {
  readonly draft: LimitDraft
  /** The names of the other limits of the form. */
  readonly others: readonly string[]
  set(changes: Partial<LimitDraft>): void
  /** The error of the first of these fields that has one; named as in the API. */
  errorOf(...fields: readonly string[]): string | undefined
}

/** The size of a limit: the fields of its algorithm. */
export const SizeFields = (props: FieldsProps) => {
  switch (props.draft.algorithm) {
    case 'sliding_window':
      return <SlidingWindowFields {...props} />
    case 'fixed_window':
      return <FixedWindowFields {...props} />
    default:
      return <TokenBucketFields {...props} />
  }
}

const PERIOD_OPTIONS = PERIODS.map((period) => [period, `per ${period}`] as const)

/** The label of an amount with its unit, its bounds, and its hint; 0 pauses the limit. */
const amountFieldProps = (draft: LimitDraft, label: string, hint: string) => ({
  label: isMoney(draftMeter(draft)) ? `${label}, US dollars` : label,
  min: 0,
  step: isMoney(draftMeter(draft)) ? 0.000001 : 1,
  hint: isPausedDraft(draft) ? `0: paused, ${pausedText(draftMeter(draft), draft.mode)}` : hint,
})

const refillHint = (draft: LimitDraft): string => {
  const rate = refillRateOf(draft)
  if (isPausedDraft(draft)) return 'no refill while paused'
  if (rate === undefined || rate <= 0) return 'amount per period'
  return isMoney(draftMeter(draft))
    ? `= ${refillText(rate, 'cost_usd_micros')}`
    : `= ${Number(rate.toPrecision(4))} per second`
}

const TokenBucketFields = ({ draft, set, errorOf }: FieldsProps) => {
  const isPaused = isPausedDraft(draft)
  return (
    <>
      <NumberField
        {...amountFieldProps(draft, 'Capacity', 'maximum at once')}
        value={draft.amount}
        required
        error={errorOf('capacity')}
        onValue={(amount) => set({ amount })}
      />
      <NumberField
        label={isMoney(draftMeter(draft)) ? 'Refill, US dollars' : 'Refill'}
        value={isPaused ? '0' : draft.refill}
        required={!isPaused}
        disabled={isPaused}
        step="any"
        error={errorOf('refill_rate')}
        hint={refillHint(draft)}
        onValue={(refill) => set({ refill })}
      />
      <ChoiceField
        label="Refill period"
        value={draft.refillPer}
        options={PERIOD_OPTIONS}
        onValue={(period) => set(withPeriod(draft, period))}
      />
    </>
  )
}

const WindowLimitField = ({ draft, set, errorOf }: FieldsProps) => (
  <NumberField
    {...amountFieldProps(draft, 'Limit', 'maximum per window')}
    value={draft.amount}
    required
    error={errorOf('limit', 'capacity')}
    onValue={(amount) => set({ amount })}
  />
)

const SlidingWindowFields = (props: FieldsProps) => {
  const { draft, set, errorOf } = props
  const seconds = Number(draft.windowSeconds)
  return (
    <>
      <WindowLimitField {...props} />
      <NumberField
        label="Window, seconds"
        value={draft.windowSeconds}
        required
        min={1}
        error={errorOf('window_seconds')}
        hint={Number.isInteger(seconds) && seconds >= 60 ? `= ${windowText(seconds)}` : undefined}
        onValue={(windowSeconds) => set({ windowSeconds })}
      />
      <NumberField
        label="Slots"
        value={draft.slots}
        error={errorOf('slots')}
        hint="steps of the window: 2 to 60, default 30"
        onValue={(slots) => set({ slots })}
      />
    </>
  )
}

const FixedWindowFields = (props: FieldsProps) => {
  const { draft, set, errorOf } = props
  return (
    <>
      <WindowLimitField {...props} />
      <ChoiceField
        label="Calendar window"
        value={draft.window}
        options={CALENDAR_UNITS}
        error={errorOf('window')}
        onValue={(window) => set({ window })}
      />
      <TextField
        label="Time zone"
        value={draft.timeZone}
        placeholder="UTC"
        error={errorOf('time_zone')}
        hint="for example Europe/Berlin or +02:00"
        onValue={(timeZone) => set({ timeZone })}
      />
    </>
  )
}

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
