import { DEFAULT_SLOT_SECONDS, MAX_SLOT_SECONDS } from '../../src/core/model/limit.ts'
import { NumberField } from '../parts/fields.tsx'
import { windowText } from './limit-text.ts'
import { amountIn, given, number, text } from './size-draft.ts'
import { AmountField, type SizeFieldsProps, type SizeForm } from './size-form.tsx'

type Values = {
  readonly leaseSeconds: string
}

const Fields = (props: SizeFieldsProps<Values>) => {
  const { values, set, errorOf } = props
  return (
    <>
      <AmountField
        {...props}
        label="Limit"
        hint="requests in flight at once"
        error={errorOf('limit', 'capacity')}
      />
      <NumberField
        label="Slots expire after, seconds"
        value={values.leaseSeconds}
        min={1}
        max={MAX_SLOT_SECONDS}
        step={1}
        error={errorOf('lease_seconds')}
        hint={`default ${DEFAULT_SLOT_SECONDS}; for slots neither released nor renewed, as after a crash`}
        onValue={(leaseSeconds) => set('leaseSeconds', leaseSeconds)}
      />
    </>
  )
}

export const concurrency: SizeForm<Values> = {
  algorithm: 'concurrency',
  name: 'Concurrency',
  initial: { leaseSeconds: '' },
  valuesOf: ({ lease_seconds }) => ({ leaseSeconds: text(lease_seconds) }),
  sizeOf: (draft, { leaseSeconds }) => given({ limit: amountIn(draft), lease_seconds: number(leaseSeconds) }),
  replaces: ['limit', 'lease_seconds'],
  textOf: (_, most) => `${most} in flight at once`,
  details: [['Slots expire after', ({ lease_seconds = DEFAULT_SLOT_SECONDS }) => windowText(lease_seconds)]],
  Fields,
}
