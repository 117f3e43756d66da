import { beforeAll, describe, expect, test } from 'vitest'
import { ADMIN, createTestApp, type SendOptions, type TestResponse } from '../test-app.ts'

const LONG = 'k'.repeat(4000)
/** Three times 200 characters in OpenAI's shape, and the longest list of allowed values. */
const LONGEST_ERROR = 1500

type Schema = {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly minItems?: number
  readonly items?: Schema
}
type Operation = {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly $ref?: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
const isDocument = (body: unknown): body is Document =>
  typeof body === 'object' && body !== null && 'paths' in body

const LIMIT = { name: 'rpm', capacity: 1, refill_rate: 1 }
/** Long text for every place that holds a value. */
const HOSTILE: readonly unknown[] = [
  LONG,
  [LONG],
  { [LONG]: 1 },
  { [LONG]: LONG },
  { a: LONG },
  [{ [LONG]: 1 }],
  [{ ...LIMIT, [LONG]: 1 }],
  [{ ...LIMIT, name: LONG }],
  [{ ...LIMIT, meter: LONG }],
  [{ ...LIMIT, algorithm: LONG }],
  [{ ...LIMIT, headroom: { [LONG]: 0.5 } }],
]

const { send } = createTestApp({ metricsText: async () => '' })
let document: Document

beforeAll(async () => {
  const { body } = await send('GET', '/openapi.json', { headers: {} })
  if (!isDocument(body)) throw new Error('no document')
  document = body
  await send('POST', '/api/entities', { body: { entity_id: 'x', name: 'x' } })
})

const resolved = (schema: Schema): Schema => {
  const name = schema.$ref?.split('/').at(-1)
  const known = name === undefined ? schema : (document.components.schemas[name] ?? {})
  const [first] = known.anyOf ?? []
  return first === undefined ? known : resolved(first)
}

/** A value that matches `schema`, so that validation reaches the hostile field. */
const sample = (schema: Schema): unknown => {
  const { type, enum: choices, const: only, properties = {}, required = [] } = resolved(schema)
  if (only !== undefined || choices !== undefined) return only ?? choices?.[0]
  if (type === 'array') return [LIMIT]
  if (type !== 'object') return ({ integer: 1, number: 1, boolean: true } as const)[type ?? ''] ?? 'x'
  return Object.fromEntries(required.map((name) => [name, sample(properties[name] ?? {})]))
}

const hostileBodies = (schema: Schema): readonly unknown[] => {
  const { properties = {} } = resolved(schema)
  const base = { ...Object(sample(schema)) }
  const fields = Object.keys(properties).flatMap((name) =>
    HOSTILE.map((value) => ({ ...base, [name]: value })),
  )
  return [LONG, [LONG], [{ [LONG]: 1 }], { [LONG]: 1 }, { ...base, [LONG]: 1 }, ...fields]
}

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )

const pathWith = (path: string, hostile?: string): string =>
  path.replace(/\{(\w+)[^}]*\}/g, (_, name) => (name === hostile ? LONG : name === 'scope' ? 'TENANT' : 'x'))

/** Each operation with one long parameter. */
const hostilePaths = () =>
  operations().flatMap(({ method, path, operation }) =>
    (operation.parameters ?? []).flatMap(({ name, in: place }) => {
      if (place === 'path') return { method, path: pathWith(path, name) }
      return place === 'query' ? { method, path: `${pathWith(path)}?${name}=${LONG}` } : []
    }),
  )

const ACTING = { ...ADMIN, 'x-zael-entity': 'x' }

const errorsOf = async (method: string, path: string, options: SendOptions = {}): Promise<TestResponse[]> => {
  const sent = await send(method, path, { headers: ACTING, ...options })
  return sent.status >= 400 ? [sent] : []
}

const expectBounded = (errors: readonly TestResponse[]): void => {
  for (const { body } of errors) expect(JSON.stringify(body).length).toBeLessThan(LONGEST_ERROR)
}

describe('an error is short, even if it repeats long input', () => {
  test('in any field of any body', async () => {
    const errors: TestResponse[] = []
    for (const { method, path, operation } of operations()) {
      const schema = operation.requestBody?.content['application/json']?.schema
      if (schema === undefined) continue
      for (const body of hostileBodies(schema))
        errors.push(...(await errorsOf(method, pathWith(path), { body })))
    }
    expect(errors.length).toBeGreaterThan(300)
    expectBounded(errors)
  })

  test('in any parameter of any path or query', async () => {
    const errors: TestResponse[] = []
    for (const { method, path } of hostilePaths()) errors.push(...(await errorsOf(method, path)))
    expect(errors.length).toBeGreaterThan(40)
    expectBounded(errors)
  })

  test.each([`/${LONG}`, `/v1/${LONG}`, `/api/${LONG}`, `/dashboard/${LONG}`, `/v1/models/${LONG}`])(
    'in a path that is not there',
    async (path) => {
      const errors = await errorsOf('GET', path)
      expect(errors).toHaveLength(1)
      expectBounded(errors)
    },
  )

  test.each([
    'x-zael-entity',
    'authorization',
    'x-api-key',
    'x-preferred-model',
    'x-user-id',
    'x-request-id',
  ])('in the header %s', async (name) => {
    const body = { messages: [{ role: 'user', content: 'Hi' }] }
    const errors = await errorsOf('POST', '/v1/chat/completions', {
      headers: { ...ACTING, [name]: LONG },
      body,
    })
    expect(errors).toHaveLength(1)
    expectBounded(errors)
  })
})
