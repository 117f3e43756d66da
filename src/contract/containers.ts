import * as v from 'valibot'
import { describedAs } from './json-schema.ts'
import { mustOf } from './parse.ts'

/*
 * Objects, lists and unions for hostile input. They have the descriptions of valibot's, but check in another order: each takes
 * a schema of valibot and replaces its `~run`, the only internal of the library that zael depends on.
 */

interface Bounds {
  readonly least?: number
  readonly most: number
  /** Completes "<field> must …" if the length is wrong. */
  readonly must: string
  /** Completes it if the value is not a list. */
  readonly list?: string
}

/**
 * A list whose length is checked before its items, so that rejecting a list that is too long costs no more than rejecting its
 * first item. A `v.pipe` of `v.array` and `v.maxLength` checks every item first.
 */
export const boundedList = <S extends v.GenericSchema>(
  item: S,
  { least = 0, most, must, list: noList = 'be a list' }: Bounds,
) => {
  const list = v.pipe(v.array(item, noList), v.minLength(least, must), v.maxLength(most, must))
  const lengthOnly = v.pipe(v.any(), v.minLength(least, must), v.maxLength(most, must))
  const run: (typeof list)['~run'] = (dataset, config) => {
    const { value } = dataset
    const isWrong = Array.isArray(value) && (value.length < least || value.length > most)
    if (!isWrong) return list['~run'](dataset, config)
    return lengthOnly['~run'](dataset, config)
  }
  return { ...list, '~run': run }
}

interface ClosedTexts {
  /** Completes "<field> must …" if the value is not an object. */
  readonly object?: string
  /** Completes it for an unknown field. */
  readonly unknown?: string
}

/**
 * An object with these fields and no others. Unknown fields are reported first, as they are often misspelt known ones; a
 * missing field is reported as its own schema reports `undefined`. A list is not an object.
 */
export const closedObject = <const E extends v.ObjectEntries>(
  entries: E,
  { object = 'be an object', unknown = 'not be given: it is not known' }: ClosedTexts = {},
) => {
  const text = ({ expected, path }: v.StrictObjectIssue): string => {
    if (path === undefined) return object
    return expected === 'never' ? unknown : missingText(entries[String(path[0].key)])
  }
  const schema = v.strictObject(entries, text)
  const nothingElse = v.strictObject({}, text)
  const run: (typeof schema)['~run'] = (dataset, config) => {
    const { value } = dataset
    if (Array.isArray(value)) return schema['~run']({ value: undefined }, config)
    const [first, ...others] = unknownFields(value, entries)
      .slice(0, config.abortEarly ? 1 : undefined)
      .flatMap((field) => nothingElse['~run']({ value: { [field]: undefined } }, config).issues ?? [])
    if (first === undefined) return schema['~run'](dataset, config)
    if (config.abortEarly) return { typed: false, value, issues: [first] }
    const known = schema['~run']({ value: knownPart(value, Object.keys(entries)) }, config)
    return { typed: false, value, issues: [first, ...others, ...(known.issues ?? [])] }
  }
  return { ...schema, '~run': run }
}

const unknownFields = (value: unknown, known: object): readonly string[] =>
  typeof value === 'object' && value !== null
    ? Object.keys(value).filter((field) => !Object.hasOwn(known, field))
    : []

const missingText = (schema: v.ObjectEntries[string] | undefined): string => {
  if (schema === undefined || schema.async) return 'be given'
  const { issues } = v.safeParse(schema, undefined)
  const [first] = issues ?? []
  return first === undefined || first.message.startsWith('Invalid ') ? 'be given' : mustOf(first)
}

/**
 * An object with `entries` and any other fields. As `v.looseObject`, but it returns the value itself instead of a copy, so the
 * work does not grow with the other fields. `entries` must not transform.
 */
export const openObject = <E extends v.ObjectEntries>(entries: E): v.LooseObjectSchema<E, undefined> => {
  const schema = v.looseObject(entries)
  const names = Object.keys(entries)
  return {
    ...schema,
    '~run': ({ value }, config) =>
      Object.assign(schema['~run']({ value: knownPart(value, names) }, config), { value }),
  }
}

const knownPart = (value: unknown, names: readonly string[]): unknown => {
  if (typeof value !== 'object' || value === null) return value
  const part: Record<string, unknown> = {}
  for (const name of names) if (Object.hasOwn(value, name)) part[name] = Reflect.get(value, name)
  return part
}

/** Names that valibot leaves out of records, because assigning them may change a prototype. */
const UNSAFE_NAMES = ['__proto__', 'prototype', 'constructor'] as const

const unsafeNameIn = (value: unknown): string | undefined =>
  typeof value === 'object' && value !== null
    ? UNSAFE_NAMES.find((name) => Object.hasOwn(value, name))
    : undefined

/**
 * An object with any names and values of one schema; `must` completes "<field> must …" if it is none. A list is not an object.
 * A name that the result could not contain is an error.
 */
export const plainRecord = <K extends v.GenericSchema<string, string>, V extends v.GenericSchema>(
  key: K,
  value: V,
  must = 'be an object',
) => {
  const schema = v.record(key, value, must)
  const rejected = v.pipe(
    v.any(),
    checkedBy<unknown>((input) => {
      const name = unsafeNameIn(input)
      return name === undefined
        ? undefined
        : { path: [name], must: 'have another name: this one is reserved' }
    }),
  )
  const run = (...[dataset, config]: Parameters<(typeof schema)['~run']>) => {
    const { value: input } = dataset
    if (Array.isArray(input)) return schema['~run']({ value: undefined }, config)
    return (unsafeNameIn(input) === undefined ? schema : rejected)['~run'](dataset, config)
  }
  return { ...schema, '~run': run }
}

/** A fault of a value, or of the part of it at `path`; `must` completes "<field> must …". */
export interface Fault {
  readonly path?: readonly (string | number)[]
  readonly must: string
}

/** A check by code: `faultOf` returns the fault, or undefined. The OpenAPI document does not contain it. */
export const checkedBy = <T>(faultOf: (value: T) => Fault | undefined) =>
  describedAs(
    v.rawCheck<T>(({ dataset, addIssue }) => {
      const fault = dataset.typed ? faultOf(dataset.value) : undefined
      if (fault === undefined) return
      addIssue({ message: fault.must, path: pathTo(fault.path ?? [], dataset.value) })
    }),
    {},
  )

const pathTo = (
  keys: readonly (string | number)[],
  input: unknown,
): [v.IssuePathItem, ...v.IssuePathItem[]] | undefined => {
  const [first, ...rest] = keys.map(
    (key) => ({ type: 'unknown', origin: 'value', input, key, value: undefined }) as const,
  )
  return first && [first, ...rest]
}

/** One of `options`: `pick` selects it by the input, and only its issues are reported. */
export const chosen = <S extends v.GenericSchema>(
  options: readonly S[],
  pick: (input: unknown) => S | Fault,
) => {
  const schema = v.union(options)
  const run = (...[dataset, config]: Parameters<(typeof schema)['~run']>) => {
    const option = pick(dataset.value)
    if (!('must' in option)) return option['~run'](dataset, config)
    return v
      .pipe(
        v.any(),
        checkedBy<unknown>(() => option),
      )
      ['~run'](dataset, config)
  }
  return { ...schema, '~run': run }
}

/** A value that `schema` describes and `isValid` checks, for values on which a schema would take many times as long. */
export const checkedByHand = <S extends v.GenericSchema>(
  schema: S,
  isValid: (value: unknown) => boolean,
  must: string,
) => {
  const check = v.pipe(v.any(), v.check(isValid, must))
  const run = (...[dataset, config]: Parameters<S['~run']>) => check['~run'](dataset, config)
  return { ...schema, '~run': run }
}

/**
 * As `schema`, but a usual value is accepted by `isUsual` alone, for schemas on a hot path that take ten times as long. It must
 * be true only for values that `schema` returns unchanged.
 */
export const acceptedByHand = <S extends v.GenericSchema>(
  schema: S,
  isUsual: (value: unknown) => boolean,
) => {
  const anything = v.any()
  const run = (...[dataset, config]: Parameters<S['~run']>) =>
    (isUsual(dataset.value) ? anything : schema)['~run'](dataset, config)
  return { ...schema, '~run': run }
}
