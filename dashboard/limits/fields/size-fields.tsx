import { ChoiceField, NumberField, TextField } from '../../parts/field.tsx'
import { CALENDAR_UNITS, refillRateOf, withPeriod } from '../limit-draft.ts'
import { windowText } from '../limit-text.ts'
import { PERIODS } from '../refill.ts'
import type { PartProps } from './limit-fields.tsx'

/** How much, by the fields of its algorithm. */
export const SizeFields = (props: PartProps) => {
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

const TokenBucketFields = ({ draft, set, errorOf }: PartProps) => {
  const rate = refillRateOf(draft)
  const perSecond = `${Number((rate ?? 0).toPrecision(4))} per second`
  return (
    <>
      <NumberField
        label="Capacity"
        value={draft.amount}
        required
        min={1}
        error={errorOf('capacity')}
        hint="the most at once"
        onValue={(amount) => set({ amount })}
      />
      <NumberField
        label="Refill"
        value={draft.refill}
        required
        step="any"
        error={errorOf('refill_rate')}
        hint={rate === undefined ? 'what comes back' : `= ${perSecond}`}
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

const WindowLimitField = ({ draft, set, errorOf }: PartProps) => (
  <NumberField
    label="Limit"
    value={draft.amount}
    required
    min={1}
    error={errorOf('limit', 'capacity')}
    hint="the most in one window"
    onValue={(amount) => set({ amount })}
  />
)

const SlidingWindowFields = (props: PartProps) => {
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
        hint="steps in which it moves on: 2 to 60, 30 unless told"
        onValue={(slots) => set({ slots })}
      />
    </>
  )
}

const FixedWindowFields = (props: PartProps) => {
  const { draft, set, errorOf } = props
  return (
    <>
      <WindowLimitField {...props} />
      <ChoiceField
        label="Window"
        value={draft.window}
        options={CALENDAR_UNITS.map((unit) => [unit, `calendar ${unit}`] as const)}
        error={errorOf('window')}
        onValue={(window) => set({ window })}
      />
      <TextField
        label="Time zone"
        value={draft.timeZone}
        placeholder="UTC"
        error={errorOf('time_zone')}
        hint="as Europe/Berlin or +02:00"
        onValue={(timeZone) => set({ timeZone })}
      />
    </>
  )
}
