import { CALENDAR_UNITS } from '../../src/core/model/limit.ts'
import { ChoiceField, TextField } from '../parts/fields.tsx'
import { amountIn, given, oneOf, text } from './size-draft.ts'
import { AmountField, type SizeFieldsProps, type SizeForm } from './size-form.tsx'

type Values = {
  /** One of `CALENDAR_UNITS`. */
  readonly window: string
  readonly timeZone: string
}

const Fields = (props: SizeFieldsProps<Values>) => {
  const { values, set, errorOf } = props
  return (
    <>
      <AmountField {...props} label="Limit" hint="maximum per window" error={errorOf('limit', 'capacity')} />
      <ChoiceField
        label="Calendar window"
        value={values.window}
        options={CALENDAR_UNITS}
        error={errorOf('window')}
        onValue={(window) => set('window', window)}
      />
      <TextField
        label="Time zone"
        value={values.timeZone}
        placeholder="UTC"
        error={errorOf('time_zone')}
        hint="for example Europe/Berlin or +02:00"
        onValue={(timeZone) => set('timeZone', timeZone)}
      />
    </>
  )
}

export const fixedWindow: SizeForm<Values> = {
  algorithm: 'fixed_window',
  name: 'Fixed window',
  initial: { window: 'day', timeZone: '' },
  valuesOf: ({ window, time_zone }) => ({ window: text(window), timeZone: text(time_zone) }),
  sizeOf: (draft, { window, timeZone }) =>
    given({
      limit: amountIn(draft),
      window: oneOf(CALENDAR_UNITS, window),
      time_zone: timeZone.trim() || undefined,
    }),
  replaces: ['limit', 'window', 'time_zone'],
  textOf: ({ window = 'day', time_zone = 'UTC' }, most) => `${most} per ${window} (${time_zone})`,
  Fields,
}
