import { PERIOD_SECONDS, PERIODS } from '../../src/core/model/limit.ts'
import type { Limit } from '../api/responses.ts'
import { isMoney } from '../parts/amounts.ts'
import { ChoiceField, NumberField } from '../parts/fields.tsx'
import { meterOf, perPeriod, refillText } from './limit-text.ts'
import {
  amountIn,
  draftMeter,
  given,
  isPausedDraft,
  number,
  oneOf,
  type SizeDraft,
  unitOf,
  unitText,
} from './size-draft.ts'
import { AmountField, type SizeFieldsProps, type SizeForm } from './size-form.tsx'

type Values = {
  /** The refill per `refillPer`; in US dollars for a budget. */
  readonly refill: string
  /** One of `PERIODS`. */
  readonly refillPer: string
}

const INITIAL: Values = { refill: '', refillPer: 'minute' }

const valuesOf = (limit: Limit): Values => refillOf(limit) ?? INITIAL

/** A paused limit has no rate to keep: one is required before its size can be above 0. */
const refillOf = ({ refill_rate: rate, meter }: Limit): Values | undefined => {
  if (rate === undefined || rate === 0) return undefined
  const { amount, period } = perPeriod(rate)
  return { refill: unitText(amount, meter), refillPer: period }
}

/** Units of the meter per second. A rate that was not edited keeps its exact value. */
const refillRateOf = (draft: SizeDraft, { refill, refillPer }: Values): number | undefined => {
  const { original } = draft
  const meter = draftMeter(draft)
  const before = original && refillOf(original)
  if (before?.refill === refill && before.refillPer === refillPer && original?.meter === meter)
    return original.refill_rate
  const [amount, period] = [number(refill), oneOf(PERIODS, refillPer)]
  return amount === undefined || period === undefined
    ? undefined
    : (amount * unitOf(meter)) / PERIOD_SECONDS[period]
}

const PERIOD_OPTIONS = PERIODS.map((period) => [period, `per ${period}`] as const)

const refillHint = (draft: SizeDraft, values: Values): string => {
  const rate = refillRateOf(draft, values)
  if (isPausedDraft(draft)) return 'no refill while paused'
  if (rate === undefined || rate <= 0) return 'amount per period'
  return isMoney(draftMeter(draft))
    ? `= ${refillText(rate, 'cost_usd_micros')}`
    : `= ${Number(rate.toPrecision(4))} per second`
}

const Fields = (props: SizeFieldsProps<Values>) => {
  const { draft, values, set, errorOf } = props
  const isPaused = isPausedDraft(draft)
  return (
    <>
      <AmountField {...props} label="Capacity" hint="maximum at once" error={errorOf('capacity')} />
      <NumberField
        label={isMoney(draftMeter(draft)) ? 'Refill, US dollars' : 'Refill'}
        value={isPaused ? '0' : values.refill}
        required={!isPaused}
        disabled={isPaused}
        step="any"
        error={errorOf('refill_rate')}
        hint={refillHint(draft, values)}
        onValue={(refill) => set('refill', refill)}
      />
      <ChoiceField
        label="Refill period"
        value={values.refillPer}
        options={PERIOD_OPTIONS}
        onValue={(refillPer) => set('refillPer', refillPer)}
      />
    </>
  )
}

export const tokenBucket: SizeForm<Values> = {
  algorithm: 'token_bucket',
  name: 'Token bucket',
  initial: INITIAL,
  valuesOf,
  sizeOf: (draft, values) =>
    given({
      capacity: amountIn(draft),
      refill_rate: isPausedDraft(draft) ? 0 : refillRateOf(draft, values),
    }),
  replaces: ['refill_rate', 'limit', 'per'],
  textOf: (limit, most) => `${most}, refilled ${refillText(limit.refill_rate ?? 0, meterOf(limit))}`,
  Fields,
}
