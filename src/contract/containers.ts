import * as v from 'valibot'
import { describedAs } from './json-schema.ts'
import { mustOf } from './parse.ts'

/*
 * Objects, lists and unions for hostile input, described as those of valibot are and checked in another order: each takes a
 * schema of valibot and replaces its `~run`, which is the only part of the library's inside that zael relies on.
 */

interface Bounds {
  readonly least?: number
  readonly most: number
  /** What completes "<field> must …" where the length is wrong. */
  readonly must: string
  /** What completes it where the value is no list. */
  readonly list?: string
}

/**
 * A list whose length is checked before any of its items: a list that is too long costs no more than one that is rejected at
 * its first item. A `v.pipe` of `v.array` and `v.maxLength` checks every item first.
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
  /** What completes "<field> must …" where the value is no object. */
  readonly object?: string
  /** What completes it for an unknown field. */
  readonly unknown?: string
}

/**
 * An object with these fields and no others. An unknown field is reported before anything else, as it is often a known one
 * misspelt; a missing field is reported as its own schema reports `undefined`. A list is no object.
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
    const field = unknownField(value, entries)
    const issues = field && nothingElse['~run']({ value: { [field]: undefined } }, config).issues
    return issues ? { typed: false, value, issues } : schema['~run'](dataset, config)
  }
  return { ...schema, '~run': run }
}

const unknownField = (value: unknown, known: object): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.keys(value).find((field) => !Object.hasOwn(known, field))
}

const missingText = (schema: v.ObjectEntries[string] | undefined): string => {
  if (schema === undefined || schema.async) return 'be given'
  const { issues } = v.safeParse(schema, undefined)
  const [first] = issues ?? []
  return first === undefined || first.message.startsWith('Invalid ') ? 'be given' : mustOf(first)
}

/**
 * An object with known fields and any others. As `v.looseObject`, but the value is passed on as it was sent, not copied field
 * by field, so the work does not grow with the other fields. `entries` must not transform.
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

const knownPart = (value: unknown, names: readonly string[]): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(
        names.filter((name) => Object.hasOwn(value, name)).map((name) => [name, Reflect.get(value, name)]),
      )
    : value

/** An object of values by any names, likewise. */
export const plainRecord = <K extends v.GenericSchema<string, string>, V extends v.GenericSchema>(
  key: K,
  value: V,
) => {
  const schema = v.record(key, value, 'be an object')
  const run: (typeof schema)['~run'] = (dataset, config) =>
    schema['~run'](Array.isArray(dataset.value) ? { value: undefined } : dataset, config)
  return { ...schema, '~run': run }
}

/** What is wrong with a value, or with what is in it at `path`; `must` completes "<field> must …". */
export interface Fault {
  readonly path?: readonly (string | number)[]
  readonly must: string
}

/** A check by code: `faultOf` returns what is wrong, or undefined. The OpenAPI document has no form for it. */
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

/** One of `options`: the one that `pick` chooses by the input, whose issues are reported as if it were the only one. */
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

/** A value that `schema` describes and `isValid` checks by hand, where a schema would take many times as long. */
export const checkedByHand = <S extends v.GenericSchema>(
  schema: S,
  isValid: (value: unknown) => boolean,
  must: string,
) => {
  const check = v.pipe(v.any(), v.check(isValid, must))
  const run = (...[dataset, config]: Parameters<S['~run']>) => check['~run'](dataset, config)
  return { ...schema, '~run': run }
}
