import { METERS } from '../../src/core/model/meter.ts'
import type { Limit } from '../api/responses.ts'
import { dollarsOf, isMoney, MICROS_PER_DOLLAR } from '../parts/amounts.ts'
import { meterOf } from './limit-text.ts'

/** The part of a limit's form on which its size depends. Every field is a text; an empty one is not set. */
export interface SizeDraft {
  /** The limit before; undefined for a new one. */
  readonly original: Limit | undefined
  readonly name: string
  readonly meter: string
  readonly mode: string
  /** The capacity, or the limit of a window; in US dollars for a budget. */
  readonly amount: string
  /** The fields of the algorithm, those that were set. */
  readonly size: Texts
}

export type Texts = Readonly<Record<string, string>>

/** The meter of a draft: the chosen one, or else that of its name. */
export const draftMeter = ({ name, meter }: Pick<SizeDraft, 'name' | 'meter'>): Limit['meter'] =>
  oneOf(METERS, meter) ?? meterOf({ name: name.trim() })

/** Whether the size is 0: the limit denies every request that it counts, and nothing refills. */
export const isPausedDraft = ({ amount }: Pick<SizeDraft, 'amount'>): boolean => number(amount) === 0

/** The amount of a limit in the unit of the form. */
export const amountOf = ({ capacity, meter }: Limit): string => unitText(capacity, meter)

/**
 * The amount of a draft in units of the meter: dollars have up to six decimals. An amount that was not edited keeps its exact
 * value.
 */
export const amountIn = (draft: SizeDraft): number | undefined => {
  const { original, amount } = draft
  const meter = draftMeter(draft)
  if (original?.meter === meter && amount === amountOf(original)) return original.capacity
  const typed = number(amount)
  return typed === undefined || !isMoney(meter) ? typed : Math.round(typed * MICROS_PER_DOLLAR)
}

/** A number of units of the meter in the unit of the form: money in dollars. */
export const unitText = (amount: number, meter: string): string =>
  isMoney(meter) ? dollarsOf(amount) : text(amount)

/** Units of the meter per unit of the form. */
export const unitOf = (meter: string): number => (isMoney(meter) ? MICROS_PER_DOLLAR : 1)

/** The text of a field; empty if it is not set. */
export const text = (value: string | number | undefined): string => (value === undefined ? '' : String(value))

/** The number of a text; undefined if it is empty or none. */
export const number = (typed: string): number | undefined =>
  typed.trim() === '' || Number.isNaN(Number(typed)) ? undefined : Number(typed)

/** The choice that a text is; undefined if it is none. */
export const oneOf = <T extends string>(choices: readonly T[], value: string): T | undefined =>
  choices.find((choice) => choice === value)

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The fields that are set. */
export const given = <T extends object>(fields: T): Given<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>
