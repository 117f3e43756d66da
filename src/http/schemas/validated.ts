import type { Context, Env, MiddlewareHandler } from 'hono'
import { resolver, uniqueSymbol, validator } from 'hono-openapi'
import * as v from 'valibot'
import { invalid } from '../../core/errors.ts'
import { JSON_TYPE } from '../middleware/json-requests.ts'
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
export const jsonBody = <S extends ObjectSchema>(schema: S) =>
  jsonReader(schema, (value) => {
    if (Array.isArray(value)) throw invalid('body', 'be an object')
    return checked(schema, value)
  })

/** A JSON body that is `one` or `many` of them, likewise: errors name the field within what was sent (`[3].cost`). */
export const jsonBodyOrList = <S extends ObjectSchema, L extends ObjectSchema>(one: S, many: L) =>
  jsonReader<v.UnionSchema<[S, L], undefined>>(v.union([one, many]), (value) =>
    Array.isArray(value) ? checked(many, value) : checked(one, value),
  )

/** Of objects or lists. */
type ObjectSchema = v.GenericSchema<unknown, object>

type JsonInput<S extends ObjectSchema> = {
  readonly in: { readonly json: v.InferInput<S> }
  readonly out: { readonly json: v.InferOutput<S> }
}

/** Reads the body once and hands it to `check`; `validator` would take four promises more to do so. */
const jsonReader = <S extends ObjectSchema>(
  schema: S,
  check: (value: unknown) => v.InferOutput<S>,
): MiddlewareHandler<Env, string, JsonInput<S>> => {
  const read: MiddlewareHandler = async (c, next) => {
    c.req.addValidatedData('json', check(await jsonIn(c)))
    return next()
  }
  return Object.assign(read, {
    [uniqueSymbol]: { target: 'json', ...resolver(schema, AS_SENT.options), ...AS_SENT },
  })
}

/** A request without a body says nothing: what it lacks is for the schema to name. */
const jsonIn = async ({ req }: Context): Promise<unknown> => {
  if (!JSON_TYPE.test(req.header('content-type') ?? '')) return {}
  try {
    return await req.json()
  } catch {
    throw invalid('body', 'be well-formed JSON')
  }
}

const checked = <S extends v.GenericSchema>(schema: S, input: unknown): v.InferOutput<S> => {
  const { success, output, issues } = v.safeParse(schema, input)
  if (success) return output
  const [first] = issues
  const path = first.path?.map(({ key }) => (typeof key === 'number' ? key : String(key)))
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
