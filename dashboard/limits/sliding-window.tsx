import { DEFAULT_SLOTS, MAX_SLOTS, MIN_SLOTS } from '../../src/core/model/limit.ts'
import { NumberField } from '../parts/fields.tsx'
import { windowText } from './limit-text.ts'
import { amountIn, given, number, text } from './size-draft.ts'
import { AmountField, type SizeFieldsProps, type SizeForm } from './size-form.tsx'

type Values = {
  readonly windowSeconds: string
  readonly slots: string
}

const Fields = (props: SizeFieldsProps<Values>) => {
  const { values, set, errorOf } = props
  const seconds = Number(values.windowSeconds)
  return (
    <>
      <AmountField {...props} label="Limit" hint="maximum per window" error={errorOf('limit', 'capacity')} />
      <NumberField
        label="Window, seconds"
        value={values.windowSeconds}
        required
        min={1}
        error={errorOf('window_seconds')}
        hint={Number.isInteger(seconds) && seconds >= 60 ? `= ${windowText(seconds)}` : undefined}
        onValue={(windowSeconds) => set('windowSeconds', windowSeconds)}
      />
      <NumberField
        label="Slots"
        value={values.slots}
        error={errorOf('slots')}
        hint={`steps of the window: ${MIN_SLOTS} to ${MAX_SLOTS}, default ${DEFAULT_SLOTS}`}
        onValue={(slots) => set('slots', slots)}
      />
    </>
  )
}

export const slidingWindow: SizeForm<Values> = {
  algorithm: 'sliding_window',
  name: 'Sliding window',
  initial: { windowSeconds: '3600', slots: '' },
  valuesOf: ({ window_seconds, slots }) => ({ windowSeconds: text(window_seconds), slots: text(slots) }),
  sizeOf: (draft, { windowSeconds, slots }) =>
    given({ limit: amountIn(draft), window_seconds: number(windowSeconds), slots: number(slots) }),
  replaces: ['limit', 'window_seconds', 'slots'],
  textOf: ({ window_seconds: seconds = 0 }, most) => `${most} in any ${windowText(seconds)}`,
  details: [['Slots', ({ slots = DEFAULT_SLOTS }) => String(slots)]],
  Fields,
}
