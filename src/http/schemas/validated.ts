import { validator } from 'hono-openapi'
import * as v from 'valibot'
import { invalid } from '../../core/errors.ts'
import { fieldOf, mustOf } from './issue-text.ts'

type Outcome =
  | { readonly success: true; readonly data: unknown }
  | {
      readonly success: false
      readonly data: unknown
      readonly error: readonly { readonly path?: Parameters<typeof fieldOf>[0] }[]
    }

/** Documents show what is sent, not what a schema makes of it. */
const AS_SENT = { options: { typeMode: 'input' } }

/** The JSON body, checked against `schema` and described by it. Throws `invalid_request` that names the field. */
export const jsonBody = <S extends v.GenericSchema>(schema: S) =>
  validator(
    'json',
    schema,
    (outcome) => {
      if (Array.isArray(outcome.data)) throw invalid('body', 'be an object')
      refuse(outcome, 'body')
    },
    AS_SENT,
  )

/** A JSON body that is `one` or `many` of them, likewise: errors name the field within what was sent (`[3].cost`). */
export const jsonBodyOrList = <S extends v.GenericSchema, L extends v.GenericSchema>(one: S, many: L) =>
  validator(
    'json',
    v.union([one, many]),
    ({ success, data }) => {
      if (!success) refuseBy(Array.isArray(data) ? many : one, data)
    },
    AS_SENT,
  )

const refuseBy = (schema: v.GenericSchema, input: unknown): never => {
  const [first] = v.safeParse(schema, input).issues ?? []
  const path = first?.path?.map(({ key }) => (typeof key === 'number' ? key : String(key)))
  throw invalid(fieldOf(path, 'body'), mustOf(first))
}

/** The query, likewise. Unknown parameters are ignored. */
export const query = <S extends v.GenericSchema>(schema: S) =>
  validator('query', schema, (outcome) => refuse(outcome, 'query'), AS_SENT)

/** The path's parameters, likewise; `names` says what a parameter is called in errors. */
export const params = <S extends v.GenericSchema>(
  schema: S,
  names: Readonly<Record<string, string>> = { id: 'entity_id' },
) => validator('param', schema, (outcome) => refuse(outcome, 'path', names), AS_SENT)

const refuse = (outcome: Outcome, whole: string, names: Readonly<Record<string, string>> = {}): void => {
  if (outcome.success) return
  const [first] = outcome.error
  const field = fieldOf(first?.path, whole)
  throw invalid(Object.hasOwn(names, field) ? (names[field] ?? field) : field, mustOf(first))
}
