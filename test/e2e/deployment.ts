import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type AttributeValue, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb'

/** The outputs of the deployed stack. */
const readOutputs = (): Readonly<Record<string, string>> => {
  const file = process.env.E2E_OUTPUTS_FILE
  if (file === undefined) throw new Error('There is no deployment: run `npm run test:e2e`')
  const [outputs]: unknown[] = Object.values(JSON.parse(readFileSync(file, 'utf8')))
  if (outputs === null || typeof outputs !== 'object') throw new Error('The deployment has no outputs')
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, String(value)]))
}

const outputs = readOutputs()

export const output = (key: string): string => {
  const value = outputs[key]
  if (value === undefined) throw new Error(`The stack has no output ${key}`)
  return value
}

export const ADMIN_TOKEN = process.env.ADMIN_TOKEN ?? 'dev-admin'
export const VIEWER_TOKEN = process.env.VIEWER_TOKEN ?? 'dev-viewer'

export interface ApiResponse {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests read JSON of any shape
  readonly body: any
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Calls the API at its URL; `body` is sent as JSON. The body of the response is parsed if it is JSON, else its text. */
export const ask = async (
  token: string | null,
  method: string,
  path: string,
  body?: unknown,
): Promise<ApiResponse> => {
  const response = await fetch(`${output('ApiUrl')}${path.replace(/^\//, '')}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: jsonOf(await response.text()) }
}

export const admin = (method: string, path: string, body?: unknown): Promise<ApiResponse> =>
  ask(ADMIN_TOKEN, method, path, body)

export const chat = (key: string, more: Readonly<Record<string, unknown>> = {}): Promise<ApiResponse> =>
  ask(key, 'POST', '/v1/chat/completions', {
    model: 'gpt-4',
    max_tokens: 50,
    messages: [{ role: 'user', content: 'Hello' }],
    ...more,
  })

/** Limits that refill in twelve hours: by less than one during a test, even on a slow machine. */
export const barely = (capacities: Readonly<Record<string, number>>): readonly object[] =>
  Object.entries(capacities).map(([name, capacity]) => ({ name, capacity, refill_rate: capacity / 43_200 }))

export interface Caller {
  readonly entityId: string
  readonly key: string
}

/** Creates an entity with these capacities and a key; no other test uses it. */
export const newCaller = async (
  capacities: Readonly<Record<string, number>>,
  parentId?: string,
): Promise<Caller> => {
  const entityId = `e2e-${randomUUID()}`
  const entity = {
    entity_id: entityId,
    name: 'e2e',
    ...(parentId === undefined ? {} : { parent_id: parentId }),
  }
  const created = await admin('POST', '/api/entities', entity)
  const limited = await admin('PUT', `/api/limits/${entityId}`, { limits: barely(capacities) })
  const key = await admin('POST', `/api/entities/${entityId}/keys`, {})
  const statuses = [created.status, limited.status, key.status].join(' ')
  if (statuses !== '201 200 201') throw new Error(`A caller could not be created: ${statuses}`)
  return { entityId, key: key.body.secret }
}

export const dynamodb = new DynamoDBClient({})

export type Item = Readonly<Record<string, AttributeValue>>

/** All items of the table, as `aws dynamodb scan` returns them. */
export const scanTable = async (): Promise<readonly Item[]> => {
  const items: Item[] = []
  for await (const page of paginateScan({ client: dynamodb }, { TableName: output('TableName') })) {
    items.push(...(page.Items ?? []))
  }
  return items
}
