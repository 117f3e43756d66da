import type { Context, MiddlewareHandler } from 'hono'
import { resolver, uniqueSymbol, validator } from 'hono-openapi'
import * as v from 'valibot'
import { JSON_SCHEMA_OPTIONS } from '../../contract/json-schema.ts'
import { fieldOf, mustOf, parse } from '../../contract/parse.ts'
import { invalid } from '../../core/model/errors.ts'
import type { AppEnv } from '../app-dependencies.ts'
import { OPTIONAL_BODY } from '../openapi/described.ts'
import { parseJson, readJsonText } from './read-json.ts'

type Outcome =
  | { readonly success: true; readonly data: unknown }
  | {
      readonly success: false
      readonly data: unknown
      readonly error: readonly { readonly path?: Parameters<typeof fieldOf>[0] }[]
    }

const AS_SENT = { options: JSON_SCHEMA_OPTIONS }

/** The JSON body, checked against `schema` and described by it. Throws `invalid_request` that names the field. */
export const jsonBody = <S extends ObjectSchema>(schema: S) => jsonReader(schema, objectOf(schema))

/** As `jsonBody`, for a schema without required fields: a request without a body means `{}`. */
export const optionalJsonBody = <S extends ObjectSchema>(schema: S) =>
  jsonReader(schema, (value = {}) => objectIn(schema, value), { isOptional: true })

/** As `jsonBody`, for a body that is `one` or a list (`many`); errors name the field within the body (`[3].cost`). */
export const jsonBodyOrList = <S extends ObjectSchema, L extends ObjectSchema>(one: S, many: L) =>
  jsonReader<v.UnionSchema<[S, L], undefined>>(v.union([one, many]), objectOrListOf(one, many))

/** Checks a parsed body against `schema`; undefined: the request has none. */
export const objectOf =
  <S extends ObjectSchema>(schema: S) =>
  (value: unknown): v.InferOutput<S> => {
    if (value === undefined) throw invalid('body', 'be given: a JSON object')
    return objectIn(schema, value)
  }

/** The same for a body that is `one` or a list (`many`). */
export const objectOrListOf =
  <S extends ObjectSchema, L extends ObjectSchema>(one: S, many: L) =>
  (value: unknown): v.InferOutput<S> | v.InferOutput<L> => {
    if (value === undefined) throw invalid('body', 'be given: a JSON object, or a list of them')
    return Array.isArray(value) ? parse(many, value, 'body') : parse(one, value, 'body')
  }

/** A schema of objects or lists. */
type ObjectSchema = v.GenericSchema<unknown, object>

type JsonInput<S extends ObjectSchema> = {
  readonly in: { readonly json: v.InferInput<S> }
  readonly out: { readonly json: v.InferOutput<S> }
}

/** Reads the body once and passes it to `check` (undefined: no body); `validator` would take four more promises. */
const jsonReader = <S extends ObjectSchema>(
  schema: S,
  check: (value: unknown) => v.InferOutput<S>,
  { isOptional = false } = {},
): MiddlewareHandler<AppEnv, string, JsonInput<S>> => {
  const read: MiddlewareHandler<AppEnv> = async (c, next) => {
    c.req.addValidatedData('json', check(await jsonIn(c)))
    return next()
  }
  const { toOpenAPISchema, ...resolved } = resolver(schema, AS_SENT.options)
  const description = async () => {
    const { schema: described, ...rest } = await toOpenAPISchema()
    return { schema: { ...described, ...(isOptional && { [OPTIONAL_BODY]: true }) }, ...rest }
  }
  return Object.assign(read, {
    [uniqueSymbol]: { target: 'json', ...resolved, ...AS_SENT, toOpenAPISchema: description },
  })
}

const jsonIn = async (c: Context<AppEnv>): Promise<unknown> => {
  const text = await readJsonText(c, c.get('maxBodyBytes'))
  return text === undefined ? undefined : parseJson(text)
}

const objectIn = <S extends ObjectSchema>(schema: S, value: unknown): v.InferOutput<S> => {
  if (Array.isArray(value)) throw invalid('body', 'be an object')
  return parse(schema, value, 'body')
}

/** The query, checked and described in the same way. Unknown parameters are ignored. */
export const query = <S extends v.GenericSchema>(schema: S) =>
  validator('query', schema, (outcome) => refuse(outcome, 'query'), AS_SENT)

/** The path's parameters, checked and described in the same way; `names` contains their names in errors. */
export const params = <S extends v.GenericSchema>(
  schema: S,
  names: Readonly<Record<string, string>> = { id: 'entity_id' },
) => validator('param', schema, (outcome) => refuse(outcome, 'path', names), AS_SENT)

const refuse = (outcome: Outcome, whole: string, names: Readonly<Record<string, string>> = {}): void => {
  if (outcome.success) return
  const [first] = outcome.error
  const field = fieldOf(first?.path, whole)
  const must = isRepeated(outcome.data, field) ? 'be given once' : mustOf(first)
  throw invalid(Object.hasOwn(names, field) ? (names[field] ?? field) : field, must)
}

/** A repeated parameter of the query is a list. */
const isRepeated = (data: unknown, name: string): boolean =>
  typeof data === 'object' && data !== null && Array.isArray(Reflect.get(data, name))
