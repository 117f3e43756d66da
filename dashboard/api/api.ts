import { ApiError } from './errors.ts'

/** The URL of a path of the API: relative to the document, so that it includes the stage if there is one. */
export const apiUrl = (path: string): URL => new URL(path, new URL('.', document.baseURI))

export type QueryParameters = Readonly<Record<string, string | number | undefined>>

/** The API, called with one token. */
export interface Api {
  /** Throws `ApiError`; an aborted request throws the `AbortError` of `fetch`. */
  get<T>(path: string, query?: QueryParameters, signal?: AbortSignal): Promise<T>
  /** The same with the ETag of the response. */
  getTagged<T>(path: string, query?: QueryParameters, signal?: AbortSignal): Promise<Tagged<T>>
  /** `condition`: the change is refused (412) if it is not met. */
  send<T>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    condition?: Condition,
  ): Promise<T>
  /**
   * The raw response, of any status; `path` is relative to the document. Throws `ApiError` if there is no
   * response.
   */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

/** JSON, and the version of it that a change names. */
export interface Tagged<T> {
  readonly body: T
  readonly etag: string | null
}

/** The header of a conditional change. */
export type Condition = Readonly<Record<string, string>>

/** The condition that nothing has changed since a response. */
export const unchangedSince = ({ etag }: Pick<Tagged<unknown>, 'etag'>): Condition =>
  etag === null ? {} : { 'if-match': etag }

/** The condition that there is nothing yet. */
export const IF_NONE: Condition = { 'if-none-match': '*' }

/** `path` is relative: `api/entities`. Ids in it must be encoded: see `pathOf`. */
export const createApi = (token: string, onUnauthorized: () => void): Api => {
  const fetchResponse = async (path: string, init: RequestInit = {}): Promise<Response> => {
    try {
      return await fetch(apiUrl(path), {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...init.headers },
      })
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error
      throw new ApiError(0, 'The API cannot be reached. Check that it is running, then try again.')
    }
  }

  const fetchTagged = async <T>(path: string, init: RequestInit): Promise<Tagged<T>> => {
    const response = await fetchResponse(path, init)
    const body: unknown = await response.json().catch(() => undefined)
    if (response.status === 401) onUnauthorized()
    if (!response.ok) throw errorOf(response.status, body)
    // Not parsed here: the server's tests check every response against the schema that T is inferred from.
    return { body: body as T, etag: response.headers.get('etag') }
  }
  const fetchJson = async <T>(path: string, init: RequestInit): Promise<T> =>
    (await fetchTagged<T>(path, init)).body

  return {
    fetch: fetchResponse,
    get: (path, query, signal) => fetchJson(withQuery(path, query), signal ? { signal } : {}),
    getTagged: (path, query, signal) => fetchTagged(withQuery(path, query), signal ? { signal } : {}),
    send: (method, path, body, condition) =>
      fetchJson(path, {
        method,
        headers: { ...(body && { 'content-type': 'application/json' }), ...condition },
        ...(body && { body: JSON.stringify(body) }),
      }),
  }
}

/** A path whose parts are encoded: `pathOf('api/entities', id, 'keys')`. */
export const pathOf = (start: string, ...parts: readonly string[]): string =>
  [start, ...parts.map(encodeURIComponent)].join('/')

/** `path` with the parameters of `query` that are not undefined. */
export const withQuery = (path: string, query: QueryParameters = {}): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  return search.size === 0 ? path : `${path}?${search}`
}

const errorOf = (status: number, body: unknown): ApiError => {
  const { message, field } =
    typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  const text =
    typeof message === 'string'
      ? message
      : `The API returned status ${status}. Try again, or look into its log.`
  return new ApiError(status, text, typeof field === 'string' ? field : undefined)
}
