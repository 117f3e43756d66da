import { type Cost, isAmount, isMeter, METERS, type Meter } from '../../core/model/meter.ts'
import { invalidArgument } from './invalid-argument.ts'
import { withoutUndefined } from './without-undefined.ts'

const SHAPE = `be an object of amounts such as { requests: 1 }; known meters are ${METERS.join(', ')}`

/**
 * A cost that an app states. An amount under a name that is no meter would be charged to nothing, so it is an error, as is
 * an object without amounts that is no plain one: a promise that was not awaited, a Map. Returns a copy, because decisions are
 * asynchronous and an app may reuse its object. Throws `TypeError`.
 */
export const checkedCost = (cost: unknown, field = 'cost'): Cost => {
  if (!isAmounts(cost)) throw invalidArgument(field, SHAPE)
  const checked: Partial<Record<Meter, number>> = {}
  for (const name in cost) {
    const meter = checkedMeter(name, field)
    checked[meter] = checkedAmount(cost[name], `${field}.${name}`)
  }
  return checked
}

/** An actual cost: as `checkedCost`, and a meter whose amount is undefined is one that is left out. */
export const checkedActualCost = (actual: unknown, field = 'actual'): Cost => {
  const given = isAmounts(actual) ? withoutUndefined(actual) : actual
  return checkedCost(given, field)
}

const checkedMeter = (name: string, field: string): Meter => {
  if (isMeter(name)) return name
  throw invalidArgument(`${field}.${name}`, `not be given; known meters are ${METERS.join(', ')}`)
}

const checkedAmount = (amount: unknown, field: string): number => {
  if (typeof amount === 'number' && isAmount(amount)) return amount
  throw invalidArgument(field, 'be a whole number of at least 0')
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
