import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { OPERATION_IDS } from '../../../src/http/openapi/operation-ids.ts'
import { createTestApp } from '../test-app.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** The files of pages, and redirects to pages. */
const FILES = /^\/(docs|redoc|dashboard)\//

type Operation = {
  readonly operationId?: string
  readonly summary?: string
  readonly security?: readonly object[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[]
  readonly requestBody?: {
    readonly required?: boolean
    readonly content: Record<string, { readonly schema: object }>
  }
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>
}

type Document = {
  readonly openapi: string
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, object> }
}

const isDocument = (body: unknown): body is Document =>
  typeof body === 'object' && body !== null && 'paths' in body

const read = async () => {
  const { app, send } = createTestApp({ metricsText: async () => '' })
  const { body } = await send('GET', '/openapi.json', { headers: {} })
  if (!isDocument(body)) throw new Error('no document')
  const operations = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  )
  const operation = (name: string) => operations.find((candidate) => candidate.name === name)?.operation
  return { app, document: body, operations, operation }
}

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const { document } = await read()
    const result = await new Validator().validate(structuredClone(document))
    expect(result).toEqual({ valid: true })
    expect(document.openapi).toMatch(/^3\.1/)
  })

  test('contains every route, and nothing else', async () => {
    const { app, operations } = await read()
    const mounted = app.routes
      .filter(({ method, path }) => METHODS.includes(method) && !FILES.test(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`)
    expect(operations.map(({ name }) => name).toSorted()).toEqual([...new Set(mounted)].toSorted())
    expect(operations.length).toBeGreaterThan(25)
  })

  test('names every operation, and none that does not exist', async () => {
    const { operations } = await read()
    const named = Object.fromEntries(operations.map(({ name, operation }) => [name, operation.operationId]))
    expect(named).toEqual(OPERATION_IDS)
    expect(new Set(Object.values(OPERATION_IDS)).size).toBe(operations.length)
  })

  test('has for every route its purpose, its responses, and its errors', async () => {
    const { operations } = await read()
    for (const { name, operation } of operations) {
      expect({ name, summary: operation.summary }).toEqual({ name, summary: expect.stringMatching(/\w{3}/) })
      const statuses = Object.keys(operation.responses)
      expect({ name, statuses }).toEqual({
        name,
        statuses: expect.arrayContaining([expect.stringMatching(/^2/)]),
      })
    }
  })

  test('refers only to schemas it contains', async () => {
    const { document } = await read()
    const refs = JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)
    for (const [, name = ''] of refs) expect(document.components.schemas).toHaveProperty(name)
  })

  test('gives every body and every result a name of its own', async () => {
    const { operations } = await read()
    const titles = operations.flatMap(({ name, operation }) => {
      const [, success] = Object.entries(operation.responses).find(([status]) => status < '300') ?? []
      const schemas = [operation.requestBody, success].map(
        (part): { readonly type?: string; readonly title?: string } | undefined =>
          part?.content?.['application/json']?.schema,
      )
      const inline = schemas.filter((schema) => schema?.type === 'object')
      return inline.map((schema) => schema?.title ?? `none at ${name}`)
    })
    expect(titles.filter((title) => title.startsWith('none'))).toEqual([])
    expect(new Set(titles).size).toBe(titles.length)
    expect(titles).toContain('PutLimitsBody')
    expect(titles).toContain('GetUsageResult')
  })

  test('describes limits in full', async () => {
    const { operation, document } = await read()
    const body = operation('PUT /api/limits/{id}')?.requestBody?.content['application/json']?.schema
    expect(body).toMatchObject({
      additionalProperties: false,
      required: ['limits'],
      properties: { limits: { type: 'array', items: { $ref: '#/components/schemas/LimitInput' } } },
    })
    const { schemas } = document.components
    const forms = [
      'TokenBucket',
      'PerPeriod',
      'SlidingWindow',
      'FixedWindow',
      'FirstUseWindow',
      'Concurrency',
    ]
    expect(schemas.LimitInput).toMatchObject({
      anyOf: forms.map((form) => ({ $ref: `#/components/schemas/${form}Input` })),
    })
    expect(forms.map((form) => schemas[`${form}Input`])).toMatchObject([
      {
        required: ['name', 'capacity', 'refill_rate'],
        properties: { refill_rate: { type: 'number', minimum: 0, maximum: 1e9 } },
      },
      { required: ['name', 'limit', 'per'] },
      { required: ['name', 'algorithm', 'limit', 'window_seconds'] },
      { required: ['name', 'algorithm', 'limit', 'window'] },
      { required: ['name', 'algorithm', 'limit', 'window', 'window_seconds'] },
      {
        required: ['name', 'algorithm', 'limit'],
        properties: { limit: { minimum: 0, maximum: 200 }, lease_seconds: { minimum: 1, maximum: 3600 } },
      },
    ])
  })

  test('has the location of each parameter, and the security of each protected operation', async () => {
    const { operation, document } = await read()
    expect(operation('DELETE /api/models/{id}')?.parameters).toMatchObject([
      { in: 'header', name: 'If-Match' },
      { in: 'header', name: 'If-None-Match' },
      { in: 'path', name: 'id', required: true },
    ])
    const page = operation('GET /api/entities')?.parameters?.map(({ name }) => name)
    expect(page).toEqual(['limit', 'cursor', 'q'])
    expect(operation('GET /health')?.security).toEqual([])
    expect(operation('GET /api/entities')?.security).toBeUndefined()
    expect(document).toMatchObject({ security: [{ bearer: [] }, { apiKey: [] }, { azureKey: [] }] })
  })

  test('lists for every route the errors of its middleware', async () => {
    const { operations, operation } = await read()
    for (const { name, operation } of operations) {
      const isOpen = operation.security?.length === 0
      const statuses = Object.keys(operation.responses)
      const expected = [
        ...(isOpen ? [] : ['401', '429', '503']),
        ...(operation.requestBody ? ['413', '415'] : []),
      ]
      expect({ name, statuses }).toEqual({ name, statuses: expect.arrayContaining(expected) })
    }
    const ofCallers = operations.filter(({ name }) => name.includes(' /v1/'))
    expect(ofCallers.length).toBeGreaterThan(4)
    for (const { operation } of ofCallers)
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '403', '404']))
    const own = operation('POST /v1/chat/completions')
    expect(own?.responses['429']).toMatchObject({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/OpenAiDenial' } } },
    })
    expect(own?.responses['413']).toMatchObject({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/OpenAiError' } } },
    })
    expect(own?.parameters?.map(({ name }) => name)).toEqual([
      'X-Preferred-Model',
      'X-User-Id',
      'X-Session-Id',
      'X-Zael-Entity',
    ])
  })

  test('states the bounds of numbers in queries', async () => {
    const { operation } = await read()
    expect(operation('GET /api/entities')?.parameters).toEqual([
      { in: 'query', name: 'limit', schema: { type: 'integer', minimum: 1, maximum: 1000 } },
      { in: 'query', name: 'cursor', schema: { type: 'string', maxLength: 2048 } },
      { in: 'query', name: 'q', schema: { type: 'string', maxLength: 256 } },
    ])
  })

  test('marks optional bodies', async () => {
    const { document, operations } = await read()
    const optional = operations.filter(({ operation }) => operation.requestBody?.required === false)
    expect(optional.map(({ name }) => name).toSorted()).toEqual([
      'POST /api/entities/{id}/keys/{key_id}/rotate',
      'POST /api/limits/{id}/reset',
      'POST /api/limits/{id}/top-up',
    ])
    expect(JSON.stringify(document)).not.toContain('x-optional-body')
  })

  test('includes the status of a new model and of bad health', async () => {
    const { operation } = await read()
    const [put, health] = [operation('PUT /api/models/{id}'), operation('GET /health')]
    expect(put?.responses['201']).toEqual(put?.responses['200'])
    expect(health?.responses['503']).toEqual(health?.responses['200'])
  })

  test('has a relative server URL, so that it works below a stage', async () => {
    expect((await read()).document.servers.map(({ url }) => url)).toEqual(['./'])
  })
})
