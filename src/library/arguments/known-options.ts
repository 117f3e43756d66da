import { invalid } from '../../core/model/errors.ts'
import { invalidArgument } from './invalid-argument.ts'

/** The names of every option, in every member of a union. */
type NameOf<Options> = Options extends unknown ? keyof Options & string : never

/** Each option of `Options` under its name: the compiler finds one that is missing here, or no longer exists. */
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
 * Checks what a function was configured with. `at` names the object where it is inside another (`bypass`). Throws
 * `ZaelError('invalid_request')` that names the known options.
 */
export const checkOptions = <Options>(input: unknown, names: OptionNames<Options>, at = ''): void =>
  checkedOptions(input, names, invalid, at)

/** As `checkOptions`, for the options of one call. Throws `TypeError`. */
export const checkCallOptions = <Options>(input: unknown, names: OptionNames<Options>, at = ''): void =>
  checkedOptions(input, names, invalidArgument, at)

/** Throws `ZaelError('invalid_request')` where an option is given and is no function. */
export const checkFunctions = (options: object, names: readonly string[]): void => {
  for (const [name, value] of Object.entries(options)) {
    if (names.includes(name) && value !== undefined && typeof value !== 'function') {
      throw invalid(name, 'be a function')
    }
  }
}

/** Throws `ZaelError('invalid_request')` where a value is given and lacks one of `methods`. */
export const checkMethods = (value: unknown, methods: readonly string[], field: string): void => {
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

/** Throws `ZaelError('invalid_request')` where a value is given and is none of `choices`. */
export const checkChoice = (value: unknown, choices: readonly string[], field: string): void => {
  if (value === undefined || choices.some((choice) => choice === value)) return
  throw invalid(field, `be one of ${choices.join(', ')}`)
}
