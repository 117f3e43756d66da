import type { Limit } from '../api/responses.ts'
import { amountText } from '../parts/amounts.ts'
import { isPaused } from '../parts/bar.tsx'
import { concurrency } from './concurrency.tsx'
import { fixedWindow } from './fixed-window.tsx'
import { meterOf } from './limit-text.ts'
import type { Texts } from './size-draft.ts'
import type { FieldText, SizedLimit, SizeForm } from './size-form.tsx'
import { slidingWindow } from './sliding-window.tsx'
import { tokenBucket } from './token-bucket.tsx'

const registry = new Map<string, SizeForm>()

/** Registers an algorithm. */
export const registerSizeForm = <Values extends Texts>(form: SizeForm<Values>): void => {
  registry.set(form.algorithm, form)
}

// the one list of the algorithms in the dashboard, in the order of the form
registerSizeForm(tokenBucket)
registerSizeForm(slidingWindow)
registerSizeForm(fixedWindow)
registerSizeForm(concurrency)

/** The algorithms to choose from, each with its name. */
export const algorithmOptions = (): readonly (readonly [algorithm: string, name: string])[] =>
  [...registry.values()].map(({ algorithm, name }) => [algorithm, name])

/** The form of an algorithm; that of the token bucket, the default algorithm, if there is none. */
export const sizeFormOf = (algorithm: string): SizeForm => registry.get(algorithm) ?? tokenBucket

/** The fields of the API that hold the size of any algorithm. */
export const sizeFields = (): readonly string[] => [
  'algorithm',
  'capacity',
  ...[...registry.values()].flatMap(({ replaces }) => replaces),
]

/**
 * The size of a limit: `10, refilled 10 per minute`, `1,000 in any 1 h`, `$5.00 per day (UTC)`, or `paused` if it is 0.
 * `amountOf` formats its amount.
 */
export const sizeText = (limit: SizedLimit, amountOf = plainAmountText): string => {
  const amount = limit.limit ?? limit.capacity ?? 0
  if (isPaused(amount)) return 'paused'
  return sizeFormOf(limit.algorithm).textOf(limit, amountOf(meterOf(limit), amount))
}

const plainAmountText = (meter: Limit['meter'], amount: number): string => amountText(meter, amount)

/** The fields that changes of limits show in addition to `sizeText`, of every algorithm; `–` for a limit of another one. */
export const sizeDetails = (): readonly FieldText[] =>
  [...registry.values()].flatMap(({ algorithm, details = [] }) =>
    details.map(
      ([what, textOf]): FieldText => [what, (limit) => (limit.algorithm === algorithm ? textOf(limit) : '–')],
    ),
  )
