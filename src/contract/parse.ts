import * as v from 'valibot'
import { invalid } from '../core/model/errors.ts'

/**
 * Parses a whole input by `schema`. Throws `ZaelError('invalid_request')` that names the first field at fault
 * (`limits[0].capacity`), or else `whole`. It stops at the first issue: collecting all takes time and memory for each item of
 * a hostile input.
 */
export const parse = <S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  whole: string,
): v.InferOutput<S> => parsed(schema, input, (path) => fieldOf(path, whole))

/** As `parse`, for the part of an input at `field`: the field names in errors begin with it. */
export const parseAt = <S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  field: string,
): v.InferOutput<S> => parsed(schema, input, (path) => `${field}${pathText(path)}`)

const parsed = <S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  nameOf: (path: readonly PropertyKey[] | undefined) => string,
): v.InferOutput<S> => {
  const { success, output, issues } = v.safeParse(schema, input, { abortEarly: true })
  if (success) return output
  const [first] = issues
  const path = first.path?.map(({ key }) => (typeof key === 'number' ? key : String(key)))
  throw invalid(nameOf(path), mustOf(first))
}

/** A fault of the part of an input at `path`; `must` completes "<field> must …". */
export interface LocatedFault {
  readonly path: readonly string[]
  readonly must: string
}

/** Every fault of an input, for files: `parse` reports the first, as input over HTTP may be hostile. */
export const faultsOf = (schema: v.GenericSchema, input: unknown): readonly LocatedFault[] =>
  (v.safeParse(schema, input).issues ?? []).map((issue) => ({
    path: (issue.path ?? []).map(({ key }) => String(key)),
    must: mustOf(issue),
  }))

/** An issue as valibot reports it; the standard interface shows only `message` and `path`. */
interface Issue {
  readonly message: string
  readonly type: string
  readonly expected: string | null
  readonly received: string
  readonly requirement: unknown
  readonly input: unknown
}

type PathSegment = PropertyKey | { readonly key: PropertyKey }

/** `limits[0].capacity`; `whole` if the issue concerns the input as a whole. */
export const fieldOf = (path: readonly PathSegment[] | undefined, whole: string): string => {
  const text = pathText(path)
  return text === '' ? whole : text.replace(/^\./, '')
}

/** `[0].capacity` */
const pathText = (path: readonly PathSegment[] = []): string =>
  path
    .map((segment) => (typeof segment === 'object' ? segment.key : segment))
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')

/** The text that completes "<field> must …". A message that the schema defines is used unchanged. */
export const mustOf = (issue: unknown): string => {
  if (!isIssue(issue)) return 'be valid'
  if (!issue.message.startsWith('Invalid ')) return issue.message
  return (TEXTS[issue.type] ?? (() => 'be valid'))(issue)
}

const objectText = ({ expected }: Issue): string => {
  if (expected === 'never') return 'not be given: it is not known'
  return expected?.startsWith('"') ? 'be given' : 'be an object'
}

const lengthText =
  (bound: string) =>
  ({ requirement, input }: Issue): string =>
    typeof input === 'string'
      ? `be ${bound} ${requirement} characters long`
      : `contain ${bound} ${requirement} entries`

const choiceText = ({ expected }: Issue): string =>
  `be one of ${(expected ?? '').replace(/[()"]/g, '').replaceAll(' | ', ', ')}`

const TEXTS: Readonly<Record<string, (issue: Issue) => string>> = {
  object: objectText,
  strict_object: objectText,
  loose_object: objectText,
  record: () => 'be an object',
  string: () => 'be a string',
  number: () => 'be a number',
  boolean: () => 'be true or false',
  array: () => 'be a list',
  integer: () => 'be an integer',
  min_value: ({ requirement }) => `be at least ${requirement}`,
  max_value: ({ requirement }) => `be at most ${requirement}`,
  min_length: lengthText('at least'),
  max_length: lengthText('at most'),
  max_entries: lengthText('at most'),
  picklist: choiceText,
  literal: choiceText,
}

const isIssue = (issue: unknown): issue is Issue =>
  typeof issue === 'object' &&
  issue !== null &&
  'type' in issue &&
  'expected' in issue &&
  'requirement' in issue
