import { boundedJsonOf, JSON_TYPE } from '../middleware/bounded-json.ts'
import type { ResponseFacts } from '../requests/costs.ts'
import { at, type Fields, isFields, isFormat2, isLoadBalancer, isMultiValue, textAt } from './event-fields.ts'

/** What a function returns to an API Gateway, a function URL or a load balancer. */
export interface HttpResult {
  statusCode: number
  headers: Record<string, string>
  multiValueHeaders?: Record<string, string[]>
  body: string
  isBase64Encoded: boolean
  statusDescription?: string
}

type Headers = Readonly<Record<string, string>>

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  401: '401 Unauthorized',
  429: '429 Too Many Requests',
  503: '503 Service Unavailable',
}

/** A JSON response in the form that the event's source expects. */
export const jsonResult = (
  event: unknown,
  { status, body, headers }: { readonly status: number; readonly body: object; readonly headers: Headers },
): HttpResult => {
  const all = { 'content-type': 'application/json', ...headers }
  return {
    statusCode: status,
    headers: all,
    ...(isMultiValue(event) && { multiValueHeaders: listed(all) }),
    ...(isLoadBalancer(event) && { statusDescription: DESCRIPTIONS[status] ?? String(status) }),
    body: JSON.stringify(body),
    isBase64Encoded: false,
  }
}

/**
 * A function's result with more headers. A result without a status is what the gateway would make of it: with payload format 2.0 the JSON
 * body of a 200, with others an error of the app, which is returned unchanged.
 */
export const withHeaders = <Result>(
  event: unknown,
  result: Result,
  headers: Headers,
): Result | HttpResult => {
  if (isFields(result) && 'statusCode' in result) return addedTo(event, result, headers)
  if (!isFormat2(event) || result === undefined || result === null) return result
  const body = typeof result === 'string' ? result : JSON.stringify(result)
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json', ...headers },
    body,
    isBase64Encoded: false,
  }
}

/** The same for a result that is a record of a response already, whatever of it is there. */
export const addedTo = <Result extends Fields>(event: unknown, result: Result, headers: Headers): Result => {
  const names = new Set(Object.keys(headers))
  const single = isMultiValue(event) ? result.headers : { ...without(result.headers, names), ...headers }
  const multiple = isMultiValue(event)
    ? { ...without(result.multiValueHeaders, names), ...listed(headers) }
    : isFields(result.multiValueHeaders) && without(result.multiValueHeaders, names)
  return {
    ...result,
    ...(single !== undefined && { headers: single }),
    ...(multiple && { multiValueHeaders: multiple }),
  }
}

const listed = (headers: Headers): Record<string, string[]> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))

/** Names of headers are compared without case. */
const without = (headers: unknown, names: ReadonlySet<string>): Fields =>
  isFields(headers)
    ? Object.fromEntries(Object.entries(headers).filter(([name]) => !names.has(name.toLowerCase())))
    : {}

/** A response for an error that a function throws. */
export const FAILED: ResponseFacts = { status: 500, header: () => undefined, json: async () => undefined }

/** A function's result as a response. One without a status is a 200 whose body is the result, for AppSync and for payload format 2.0. */
export const resultFacts = (result: unknown): ResponseFacts => {
  const status = at(result, 'statusCode')
  if (!isFields(result) || status === undefined)
    return { status: 200, header: () => undefined, json: async () => result }
  const header = (name: string): string | undefined => headerOf(result, name)
  return {
    // gateways accept digits as text
    status: Number(status),
    header,
    json: async () => {
      const isJson = JSON_TYPE.test(header('content-type') ?? 'application/json')
      const text = isJson && header('content-encoding') === undefined ? bodyText(result) : undefined
      return text === undefined ? undefined : boundedJsonOf(text)
    },
  }
}

const headerOf = (result: Fields, name: string): string | undefined => {
  for (const field of ['headers', 'multiValueHeaders'] as const) {
    const headers = result[field]
    const given = isFields(headers) && Object.keys(headers).find((key) => key.toLowerCase() === name)
    if (!isFields(headers) || !given) continue
    const value = headers[given]
    const first: unknown = Array.isArray(value) ? value[0] : value
    if (first !== undefined && first !== null) return String(first)
  }
  return undefined
}

/**
 * The body of an event or of a result as text, decoded if it is base64; undefined if there is none.
 *
 * @example
 * withRateLimit({ limits, cost: ({ native }) => costOf(JSON.parse(bodyText(native) ?? '{}')) }, handler)
 */
export const bodyText = (eventOrResult: unknown): string | undefined => {
  const body = textAt(eventOrResult, 'body')
  if (body === undefined) return undefined
  return at(eventOrResult, 'isBase64Encoded') === true ? Buffer.from(body, 'base64').toString('utf8') : body
}
