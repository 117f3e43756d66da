import * as v from 'valibot'
import {
  type Limit,
  type LimitSize,
  MAX_CONCURRENCY_LIMITS,
  MAX_LIMITS,
  MAX_SLIDING_WINDOWS,
} from '../core/model/limit.ts'
import { boundedList, checkedBy, chosen, type Fault } from './containers.ts'

/** A schema that parses a limit from JSON. */
export type LimitForm = v.GenericSchema<unknown, Limit>

/** The limits of one algorithm in JSON. */
export interface SizeFormat<Form extends LimitForm = LimitForm> {
  readonly algorithm: LimitSize['algorithm']
  /** Every form of such a limit, for the OpenAPI document and the types. */
  readonly forms: readonly Form[]
  /** The form by which to parse an object, and whose errors are reported. */
  readonly formOf: (input: object) => Form
  /** The fields of the size in responses, beside `capacity` and `limit`. */
  readonly response: v.ObjectEntries
}

/** The algorithm of a limit without `algorithm`. */
const DEFAULT_ALGORITHM = 'token_bucket'

/** A limit of any algorithm in `formats`. */
const createLimitInput = <Form extends LimitForm>(formats: readonly SizeFormat<Form>[]) => {
  const names = formats.map(({ algorithm }) => algorithm)
  const formOf = (input: unknown): Form | Fault => {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) return { must: 'be an object' }
    const { algorithm: name = DEFAULT_ALGORITHM }: { readonly algorithm?: unknown } = input
    const format = formats.find(({ algorithm }) => algorithm === name)
    return format?.formOf(input) ?? { path: ['algorithm'], must: `be one of ${names.join(', ')}` }
  }
  return v.pipe(
    chosen(
      formats.flatMap(({ forms }) => forms),
      formOf,
    ),
    v.metadata({ ref: 'LimitInput' }),
    v.description(
      'Without a meter, tpm, tph and tpd count tokens, itpm input tokens, otpm output tokens; any other name counts requests',
    ),
  )
}

/** The limits of one owner on one resource, in requests, stored items and apps. */
export const createLimitList = <Form extends LimitForm>(formats: readonly SizeFormat<Form>[]) =>
  v.pipe(
    boundedList(createLimitInput(formats), {
      most: MAX_LIMITS,
      must: `contain at most ${MAX_LIMITS} limits`,
      list: 'be a list of limits',
    }),
    checkedBy((limits) => faultTogether(limits)),
  )

const tooMany = (
  limits: readonly Limit[],
  algorithm: LimitSize['algorithm'],
  most: number,
): Fault | undefined =>
  limits.filter(({ size }) => size.algorithm === algorithm).length <= most
    ? undefined
    : { must: `contain at most ${most} limits of algorithm ${algorithm}` }

/** The fault of a list whose limits are valid one by one. */
const faultTogether = (limits: readonly Limit[]): Fault | undefined => {
  const names = limits.map(({ name }) => name)
  const repeated = names.findIndex((name, index) => names.indexOf(name) < index)
  if (repeated >= 0) {
    return { path: [repeated, 'name'], must: `be unique; ${names[repeated]} is already there` }
  }
  return (
    tooMany(limits, 'sliding_window', MAX_SLIDING_WINDOWS) ??
    tooMany(limits, 'concurrency', MAX_CONCURRENCY_LIMITS)
  )
}
