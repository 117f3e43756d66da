import type { JSX } from 'preact'
import type { Limit } from '../api/responses.ts'
import { isMoney } from '../parts/amounts.ts'
import { NumberField } from '../parts/fields.tsx'
import { type LimitInput, pausedText } from './limit-text.ts'
import { draftMeter, isPausedDraft, type SizeDraft, type Texts } from './size-draft.ts'

/** All that the dashboard uses of an algorithm. Exported by the algorithm's file, and registered in `size-forms.ts`. */
export interface SizeForm<Values extends Texts = Texts> {
  readonly algorithm: Limit['algorithm']
  /** `Sliding window` */
  readonly name: string
  /** The algorithm's own fields of the form, as they are for a new limit. */
  readonly initial: Values
  /** The same for a limit that exists. */
  valuesOf(limit: Limit): Values
  /** The size in a request. Invalid numbers are left out. */
  sizeOf(draft: SizeDraft, values: Values): Partial<LimitInput>
  /** The fields of the API that `sizeOf` replaces, beside `algorithm` and `capacity`. */
  readonly replaces: readonly string[]
  /** The size in words: `1,000 in any 1 h`; `most` is its amount, which is not 0. */
  textOf(limit: SizedLimit, most: string): string
  /** Further fields that a change of the limit shows. */
  readonly details?: readonly FieldText[]
  Fields(props: SizeFieldsProps<Values>): JSX.Element
}

/** A limit in a response or in a request. */
export type SizedLimit = Limit | LimitInput

/** The label of a field, and its value in words. */
export type FieldText = readonly [what: string, textOf: (limit: LimitInput) => string]

/** The props of the fields of a size. */
export interface SizeFieldsProps<Values extends Texts = Texts> {
  readonly draft: SizeDraft
  readonly values: Values
  setAmount(amount: string): void
  set(field: keyof Values & string, text: string): void
  /** The error of the first of these fields that has one; named as in the API. */
  errorOf(...fields: readonly string[]): string | undefined
}

interface AmountFieldProps extends Pick<SizeFieldsProps, 'draft' | 'setAmount'> {
  readonly label: string
  readonly hint: string
  readonly error: string | undefined
}

/** The amount of a size, in dollars for a budget; 0 pauses the limit. */
export const AmountField = ({ draft, label, hint, error, setAmount }: AmountFieldProps) => {
  const meter = draftMeter(draft)
  return (
    <NumberField
      label={isMoney(meter) ? `${label}, US dollars` : label}
      value={draft.amount}
      required
      min={0}
      step={isMoney(meter) ? 0.000001 : 1}
      hint={isPausedDraft(draft) ? `0: paused, ${pausedText(meter, draft.mode)}` : hint}
      error={error}
      onValue={setAmount}
    />
  )
}
