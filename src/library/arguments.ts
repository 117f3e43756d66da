import { invalid, shortened } from '../core/model/errors.ts'
import { MAX_SLOT_SECONDS } from '../core/model/limit.ts'
import { type Cost, isAmount, isMeter, METERS, type Meter } from '../core/model/meter.ts'
import { SECOND_NS } from '../core/model/time.ts'

/** A `TypeError` with the `code` and `field` of a `ZaelError`. `must` completes the sentence "<field> must …". */
export const invalidArgument = (field: string, must: string): TypeError => {
  const repeated = shortened(field)
  return Object.assign(new TypeError(`${repeated} must ${must}`), {
    code: 'invalid_request',
    field: repeated,
  })
}

/** A copy without undefined fields. Undefined means the default; null stays, and its check rejects it. */
export const withoutUndefined = <T extends object>(
  fields: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } => {
  const given: { [Name in keyof T]?: Exclude<T[Name], undefined> } = {}
  for (const name in fields) {
    const value = fields[name]
    if (isGiven(value)) given[name] = value
  }
  return given
}

const isGiven = <V>(value: V): value is Exclude<V, undefined> => value !== undefined

/** Whether a value must be awaited. */
export const isPending = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

/** The names of every option, in every member of a union. */
type NameOf<Options> = Options extends unknown ? keyof Options & string : never

/** Every option of `Options` by name. The compiler finds options that are missing, or no longer exist. */
export type OptionNames<Options> = Readonly<Record<NameOf<Options>, true>>

type ErrorOf = (field: string, must: string) => Error

const checkedOptions = (
  input: unknown,
  names: Readonly<Record<string, true>>,
  error: ErrorOf,
  at: string,
): void => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw error(at || 'options', `be an object; ${knownText(names)}`)
  }
  for (const name in input) {
    if (!Object.hasOwn(names, name)) {
      throw error(at === '' ? name : `${at}.${name}`, `not be given; ${knownText(names)}`)
    }
  }
}

const knownText = (names: object): string => `known options are ${Object.keys(names).join(', ')}`

/**
 * Checks the options of a function. `at` names the object if it is inside another (`bypass`). Throws
 * `ZaelError('invalid_request')` that lists the known options.
 */
export const checkOptions = <Options>(input: unknown, names: OptionNames<Options>, at = ''): void =>
  checkedOptions(input, names, invalid, at)

/** As `checkOptions`, for the options of one call. Throws `TypeError`. */
export const checkCallOptions = <Options>(input: unknown, names: OptionNames<Options>, at = ''): void =>
  checkedOptions(input, names, invalidArgument, at)

/** Throws `ZaelError('invalid_request')` if an option is given and is not a function. */
export const checkFunctions = (options: object, names: readonly string[]): void => {
  for (const [name, value] of Object.entries(options)) {
    if (names.includes(name) && value !== undefined && typeof value !== 'function') {
      throw invalid(name, 'be a function')
    }
  }
}

/** Throws `ZaelError('invalid_request')` if a value is given and lacks one of `methods`. */
const checkMethods = (value: unknown, methods: readonly string[], field: string): void => {
  if (value === undefined) return
  const isWhole =
    typeof value === 'object' && value !== null && methods.every((name) => isMethod(value, name))
  if (!isWhole) throw invalid(field, `have the methods ${methods.join(', ')}`)
}

const isMethod = (value: object, name: string): boolean => typeof Reflect.get(value, name) === 'function'

/** Checks the logger, the metrics and the clock of a limiter or a middleware. Throws `ZaelError('invalid_request')`. */
export const checkPorts = ({ logger, metrics, clock }: Ports): void => {
  checkMethods(logger, ['debug', 'info', 'warn', 'error'], 'logger')
  checkMethods(metrics, ['count'], 'metrics')
  checkMethods(clock, ['now', 'monotonic'], 'clock')
}

interface Ports {
  readonly logger?: unknown
  readonly metrics?: unknown
  readonly clock?: unknown
}

/** Throws `ZaelError('invalid_request')` if a value is given and is not one of `choices`. */
export const checkChoice = (value: unknown, choices: readonly string[], field: string): void => {
  if (value === undefined || choices.some((choice) => choice === value)) return
  throw invalid(field, `be one of ${choices.join(', ')}`)
}

/** A key as text: the number 42 is the key '42'. Throws `TypeError` unless it is text or a finite number. */
export const checkedKey = (key: unknown): string => {
  if (typeof key === 'string') return key
  if (typeof key === 'number' && Number.isFinite(key)) return String(key)
  throw invalidArgument('key', 'be a text or a finite number')
}

const SHAPE = `be an object of amounts such as { requests: 1 }; known meters are ${METERS.join(', ')}`

/**
 * A cost that an app passes. A name that is not a meter is an error, because nothing would be charged; so is an object that is
 * not plain and has no amounts, such as a promise that was not awaited, or a Map. Returns a copy, because decisions are
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

/** As `checkedCost`, for an actual cost: a meter whose amount is undefined is left out. */
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

/** A time in seconds that slots last, as ns. Throws `TypeError`. */
export const checkedLifetime = (seconds: unknown, field: string): bigint => {
  if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_SLOT_SECONDS)
    return BigInt(seconds) * SECOND_NS
  throw invalidArgument(field, `be a whole number of seconds from 1 to ${MAX_SLOT_SECONDS}`)
}

type Amounts = Readonly<Record<string, unknown>>

const isAmounts = (cost: unknown): cost is Amounts =>
  typeof cost === 'object' &&
  cost !== null &&
  !Array.isArray(cost) &&
  (Object.keys(cost).length > 0 || isPlain(cost))

/** Includes objects of another realm, which has its own `Object.prototype`. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
