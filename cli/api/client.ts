import * as v from 'valibot'
import { codeOf, reasonOf } from '../../src/command-line/failure.ts'
import { openAiError } from '../../src/contract/errors.ts'
import { fieldOf, mustOf } from '../../src/contract/parse.ts'
import { CliError, EXIT_CODES, exitCodeOf, usageError } from '../failure.ts'
import type { Host } from '../host.ts'
import type { Connection } from './connection.ts'

/** A parameter that is undefined is not sent. */
export type Query = Readonly<Record<string, string | number | undefined>>

export interface ApiRequest {
  /** Default: GET. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The segments below the URL, which are encoded: `['api', 'entities', id]`. */
  readonly path: readonly string[]
  readonly query?: Query
  /** Sent as JSON. */
  readonly body?: unknown
  /** The ETag that the resource must still have. */
  readonly ifMatch?: string
  /** `*`: there must be none yet. */
  readonly ifNoneMatch?: '*'
}

export interface ApiResponse<T> {
  readonly body: T
  /** The version of the resource, where its route has one. */
  readonly etag: string | null
}

/** A page of a list: `next_cursor` is null on the last one. */
type PageSchema = v.GenericSchema<
  unknown,
  { readonly items: readonly unknown[]; readonly next_cursor: string | null }
>

type ItemOf<S extends PageSchema> = v.InferOutput<S>['items'][number]

/** The HTTP API of one server. Every method throws `CliError`, whose exit code follows from the status. */
export interface ApiClient {
  readonly url: string
  /** The body, which `schema` describes. */
  request<S extends v.GenericSchema>(request: ApiRequest, schema: S): Promise<v.InferOutput<S>>
  /** The body with its ETag. */
  requestWithEtag<S extends v.GenericSchema>(
    request: ApiRequest,
    schema: S,
  ): Promise<ApiResponse<v.InferOutput<S>>>
  /** Sends a request whose response has no body, such as DELETE. */
  send(request: ApiRequest): Promise<void>
  /** The items of all pages of a list, or the first `most`. */
  list<S extends PageSchema>(request: ApiRequest, schema: S, most?: number): Promise<readonly ItemOf<S>[]>
  /** The response as it comes, for event streams. Throws if its status is an error. */
  open(request: ApiRequest, signal: AbortSignal): Promise<Response>
}

const TIMEOUT_MS = 60_000

/** The most items that one response contains. */
const PER_PAGE = 1000

export const createApiClient = ({ fetch }: Pick<Host, 'fetch'>, { url, token }: Connection): ApiClient => {
  const open: ApiClient['open'] = async (request, signal) => {
    const response = await reach(request, signal)
    if (response.status >= 300) throw await errorOf(response, { url, token })
    return response
  }
  const reach = async (request: ApiRequest, signal: AbortSignal): Promise<Response> => {
    const { method = 'GET', body, ifMatch, ifNoneMatch } = request
    const headers = {
      accept: 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
      ...(ifNoneMatch !== undefined && { 'if-none-match': ifNoneMatch }),
    }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    // a redirect would be followed without the token, or with it to another host
    const init: RequestInit = { method, headers, redirect: 'manual', signal, ...sent }
    const target = `${url}${pathOf(request)}`
    try {
      return await fetch(target, init)
    } catch (error) {
      throw unreachable(url, error)
    }
  }
  const requestWithEtag: ApiClient['requestWithEtag'] = async (request, schema) => {
    const response = await open(request, AbortSignal.timeout(TIMEOUT_MS))
    return { body: bodyOf(await response.text(), schema, url), etag: response.headers.get('etag') }
  }
  return {
    url,
    open,
    requestWithEtag,
    request: async (request, schema) => (await requestWithEtag(request, schema)).body,
    send: async (request) => void (await open(request, AbortSignal.timeout(TIMEOUT_MS))),
    async list(request, schema, most = Number.POSITIVE_INFINITY) {
      const items: ItemOf<typeof schema>[] = []
      let cursor: string | undefined
      do {
        const limit = Math.min(PER_PAGE, most - items.length)
        const query = { ...request.query, limit, cursor }
        const { body } = await requestWithEtag({ ...request, query }, schema)
        items.push(...body.items)
        cursor = body.next_cursor ?? undefined
      } while (cursor !== undefined && items.length < most)
      return items
    },
  }
}

/** The path and the query of a request, below the URL of the server. Throws `CliError` for a segment that a URL would drop. */
const pathOf = ({ path, query = {} }: ApiRequest): string => {
  const odd = path.find((segment) => segment === '' || segment === '.' || segment === '..')
  if (odd !== undefined) throw usageError(`"${odd}" is not a name`)
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] satisfies [string, string]],
  )
  const text = new URLSearchParams(pairs).toString()
  return `/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`
}

/** The body if it is what `schema` describes. It is returned as sent: a later version may have more fields. */
const bodyOf = <S extends v.GenericSchema>(text: string, schema: S, url: string): v.InferOutput<S> => {
  const body = parsed(text)
  const { issues } = v.safeParse(schema, body)
  const [first] = issues ?? []
  if (first === undefined) return body as v.InferOutput<S>
  const field = fieldOf(
    first.path?.map(({ key }) => ({ key: typeof key === 'number' ? key : String(key) })),
    'the response',
  )
  throw new CliError(
    `${url} sent an unexpected response: ${field} must ${mustOf(first)}; is it zael, and of the same version as this program?`,
    EXIT_CODES.failed,
    'unexpected_response',
  )
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const errorBody = v.union([
  v.object({ error: v.union([v.string(), openAiError]), message: v.exactOptional(v.string()) }),
  // of /health
  v.pipe(
    v.object({ status: v.literal('unavailable'), reason: v.string() }),
    v.transform(({ status, reason }) => ({ error: status, message: `The server is unavailable: ${reason}` })),
  ),
])

const errorOf = async (response: Response, connection: Connection): Promise<CliError> => {
  const { status } = response
  if (status < 400) return redirected(response, connection.url)
  const body = v.safeParse(errorBody, parsed(await response.text()))
  if (!body.success)
    return new CliError(
      `${connection.url} responded with ${status} and no error of zael; is it the URL of zael's API?`,
      exitCodeOf(status),
      'unexpected_response',
    )
  const { error, message } = body.output
  const [code, own] = typeof error === 'string' ? [error, message] : [error.code, error.message]
  return new CliError(`${own ?? message ?? code}${adviceOn(status, connection)}`, exitCodeOf(status), code)
}

const adviceOn = (status: number, { url, token }: Connection): string => {
  if (status !== 401) return ''
  return token === undefined
    ? `; no token was sent to ${url}: set ZAEL_TOKEN, or give --token-file`
    : `; ${url} does not accept the token of --token, --token-file or ZAEL_TOKEN`
}

const redirected = (response: Response, url: string): CliError =>
  new CliError(
    `${url} redirects to ${response.headers.get('location') ?? 'another URL'}: give the final URL with --url or ZAEL_URL`,
    EXIT_CODES.failed,
    'redirected',
  )

const unreachable = (url: string, error: unknown): CliError => {
  const isTimeout = error instanceof Error && error.name === 'TimeoutError'
  const reason = isTimeout ? `no response within ${TIMEOUT_MS / 1000} s` : (codeOf(error) ?? reasonOf(error))
  return new CliError(
    `${url} cannot be reached: ${reason}; start a server with \`zael serve\`, or name another with --url or ZAEL_URL`,
    EXIT_CODES.unavailable,
    'unreachable',
  )
}
