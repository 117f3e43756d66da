import { type Cost, isAmount, isMeter, METERS } from '../../core/limit/meter.ts'
import { invalidArgument } from './invalid-argument.ts'

const SHAPE = `be an object of amounts such as { requests: 1 }; known meters are ${METERS.join(', ')}`

/**
 * A cost that an app states. An amount under a name that is no meter would be charged to nothing, so it is an error, as is
 * an object without amounts that is no plain one: a promise that was not awaited, a Map. Throws `TypeError`.
 */
export const checkedCost = (cost: unknown, field = 'cost'): Cost => {
  if (!isAmounts(cost)) throw invalidArgument(field, SHAPE)
  for (const meter in cost) checkAmount(cost[meter], meter, field)
  return cost as Cost
}

/** An actual cost: as `checkedCost`, and a meter whose amount is undefined is one that is left out. */
export const checkedActualCost = (actual: unknown, field = 'actual'): Cost => {
  const given = isAmounts(actual) ? withoutUndefined(actual) : actual
  return checkedCost(given, field)
}

const checkAmount = (amount: unknown, meter: string, field: string): void => {
  if (!isMeter(meter)) {
    throw invalidArgument(`${field}.${meter}`, `not be given; known meters are ${METERS.join(', ')}`)
  }
  if (typeof amount !== 'number' || !isAmount(amount)) {
    throw invalidArgument(`${field}.${meter}`, 'be a whole number of at least 0')
  }
}

type Amounts = Readonly<Record<string, unknown>>

const isAmounts = (cost: unknown): cost is Amounts =>
  typeof cost === 'object' &&
  cost !== null &&
  !Array.isArray(cost) &&
  (Object.keys(cost).length > 0 || isPlain(cost))

/** Also of another realm, whose `Object.prototype` is not this one's. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

const withoutUndefined = (amounts: Amounts): Amounts =>
  Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount !== undefined))
