import { CALENDAR_UNITS, FIRST_USE } from '../../src/core/model/limit.ts'
import { ChoiceField, NumberField, TextField } from '../parts/fields.tsx'
import { windowText } from './limit-text.ts'
import { amountIn, given, number, oneOf, text } from './size-draft.ts'
import { AmountField, type SizeFieldsProps, type SizeForm } from './size-form.tsx'

type Values = {
  /** One of `CALENDAR_UNITS`, or `FIRST_USE`. */
  readonly window: string
  /** Of a window of the calendar. */
  readonly timeZone: string
  /** Of a window from its first use on. */
  readonly windowSeconds: string
}

const WINDOWS = [
  ...CALENDAR_UNITS.map((unit) => [unit, `calendar ${unit}`] as const),
  [FIRST_USE, 'from its first use on'] as const,
]

const Fields = (props: SizeFieldsProps<Values>) => {
  const { values, set, errorOf } = props
  return (
    <>
      <AmountField {...props} label="Limit" hint="maximum per window" error={errorOf('limit', 'capacity')} />
      <ChoiceField
        label="Window"
        value={values.window}
        options={WINDOWS}
        error={errorOf('window')}
        onValue={(window) => set('window', window)}
      />
      {values.window === FIRST_USE ? <LengthField {...props} /> : <ZoneField {...props} />}
    </>
  )
}

const LengthField = ({ values, set, errorOf }: SizeFieldsProps<Values>) => {
  const seconds = Number(values.windowSeconds)
  return (
    <NumberField
      label="Window in seconds"
      value={values.windowSeconds}
      required
      min={1}
      step={1}
      error={errorOf('window_seconds')}
      hint={Number.isInteger(seconds) && seconds >= 60 ? `= ${windowText(seconds)}` : undefined}
      onValue={(windowSeconds) => set('windowSeconds', windowSeconds)}
    />
  )
}

const ZoneField = ({ values, set, errorOf }: SizeFieldsProps<Values>) => (
  <TextField
    label="Time zone"
    value={values.timeZone}
    placeholder="UTC"
    error={errorOf('time_zone')}
    hint="for example Europe/Berlin or +02:00"
    onValue={(timeZone) => set('timeZone', timeZone)}
  />
)

export const fixedWindow: SizeForm<Values> = {
  algorithm: 'fixed_window',
  name: 'Fixed window',
  initial: { window: 'day', timeZone: '', windowSeconds: '86400' },
  valuesOf: ({ window, time_zone, window_seconds }) => ({
    window: text(window),
    timeZone: text(time_zone),
    windowSeconds: text(window_seconds ?? 86_400),
  }),
  sizeOf: (draft, { window, timeZone, windowSeconds }) =>
    window === FIRST_USE
      ? given({ limit: amountIn(draft), window: FIRST_USE, window_seconds: number(windowSeconds) })
      : given({
          limit: amountIn(draft),
          window: oneOf(CALENDAR_UNITS, window),
          time_zone: timeZone.trim() || undefined,
        }),
  replaces: ['limit', 'window', 'time_zone', 'window_seconds'],
  textOf: ({ window = 'day', time_zone = 'UTC', window_seconds = 0 }, most) =>
    window === FIRST_USE
      ? `${most} in ${windowText(window_seconds)} from the first use`
      : `${most} per ${window} (${time_zone})`,
  Fields,
}
