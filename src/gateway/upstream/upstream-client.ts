import type { Upstream } from '../../core/model/upstream.ts'
import type { ModelApi, ModelCall, ResponseHeaders } from '../../core/ports/model-backend.ts'
import type { RequestSigner, SecretReader } from '../../core/ports/upstreams.ts'
import type { Eventual } from '../../core/ports/when-ready.ts'
import { isAnthropic } from '../../web/model-errors.ts'
import { type ConnectionOptions, createUpstreamConnection } from './connection.ts'
import { type Endpoint, endpointOf, pathFor } from './endpoint.ts'
import type { UpstreamResponse } from './exchange.ts'
import { requestHeaders } from './passed-headers.ts'

/** The request that an upstream receives. */
export interface OutgoingRequest {
  /** Of the route, below the base URL. */
  readonly path: string
  /** The name of the model there. */
  readonly model: string
  /** JSON. */
  readonly body: string
  readonly isStream: boolean
}

/** Sends requests to one upstream, with its credentials and headers. */
export interface UpstreamClient {
  readonly upstream: Upstream
  /** Rejects with `UpstreamFailure`, or with `CredentialsUnavailable`. */
  send(request: OutgoingRequest, call: ModelCall): Promise<SentRequest>
  /** Closes the connections once their responses have ended. */
  retire(): Promise<void>
  /** Closes the connections at once. */
  close(): Promise<void>
}

export interface SentRequest {
  readonly response: UpstreamResponse
  /** The key that the request contained; undefined: none, a signature, or a placeholder. */
  readonly key: string | undefined
}

/** The secret of an upstream cannot be read, or a request to it cannot be signed. */
export class CredentialsUnavailable extends Error {
  constructor(options: { readonly cause: unknown }) {
    super('the credentials of an upstream are unavailable', options)
    this.name = 'CredentialsUnavailable'
  }
}

export interface UpstreamClientOptions extends Credentials, Pick<ConnectionOptions, 'bound'> {
  /** null: the process has none. */
  readonly region: string | null
}

export const createUpstreamClient = (upstream: Upstream, options: UpstreamClientOptions): UpstreamClient => {
  const { bound } = options
  const endpoint = endpointOf(upstream, options.region)
  if (endpoint === undefined) return withoutEndpoint(upstream)
  const authenticate = createAuthentication(upstream, endpoint, options)
  const connection = createUpstreamConnection({
    origin: endpoint.origin,
    timeouts: upstream.timeouts,
    ...(bound && { bound }),
  })
  return {
    upstream,
    async send(request, call) {
      const path = pathFor(endpoint, request.path, request.model)
      const authenticated = credentialsFor(authenticate, path, request.body)
      const credentials = authenticated instanceof Promise ? await authenticated : authenticated
      const headers = headersOf(upstream, request, call)
      const response = await connection.send({
        path,
        body: request.body,
        headers: Object.assign(headers, credentials),
        signal: call.signal,
      })
      return { response, key: keyIn(credentials) }
    },
    retire: () => connection.retire(),
    close: () => connection.close(),
  }
}

const withoutEndpoint = (upstream: Upstream): UpstreamClient => ({
  upstream,
  send: () => Promise.reject(new CredentialsUnavailable({ cause: new Error('there is no region') })),
  retire: async () => {},
  close: async () => {},
})

const credentialsFor = (
  authenticate: Authenticate,
  path: string,
  body: string,
): Eventual<ResponseHeaders> => {
  const credentials = authenticate(path, body)
  if (!(credentials instanceof Promise)) return credentials
  return credentials.catch((cause: unknown) => {
    throw new CredentialsUnavailable({ cause })
  })
}

/** In characters. Servers without keys are given placeholders, such as `EMPTY` or `ollama`, which their errors may contain. */
const LEAST_KEY = 8

const keyIn = (credentials: ResponseHeaders): string | undefined => {
  const key = credentials['x-api-key'] ?? /^Bearer (.+)$/.exec(credentials.authorization ?? '')?.[1]
  return key === undefined || key.length < LEAST_KEY ? undefined : key
}

/** The version that all current clients send. */
const ANTHROPIC_VERSION = '2023-06-01'

/** What zael sends itself replaces the headers of the client and of the configuration. */
const headersOf = (
  { kind, headers: configured }: Upstream,
  { isStream }: OutgoingRequest,
  { api, headers: client, requestId }: ModelCall,
): Record<string, string> => {
  const headers = requestHeaders(client, configured)
  if (takesVersion(kind, api)) headers['anthropic-version'] ??= ANTHROPIC_VERSION
  headers['user-agent'] ??= 'zael'
  headers['content-type'] = 'application/json'
  headers.accept = isStream ? 'text/event-stream' : 'application/json'
  // zael reads a copy of every response
  headers['accept-encoding'] = 'identity'
  headers['x-request-id'] = requestId
  return headers
}

const takesVersion = (kind: Upstream['kind'], api: ModelApi): boolean =>
  kind === 'anthropic' || isAnthropic(api)

export interface Credentials {
  readonly secrets: SecretReader
  readonly signer: RequestSigner
}

/** The headers by which an upstream accepts a request: zael's own key, or a signature. Rejects if they cannot be made. */
type Authenticate = (path: string, body: string) => Eventual<ResponseHeaders>

const NO_HEADERS: ResponseHeaders = {}

const withoutKey: Authenticate = () => NO_HEADERS

const createAuthentication = (
  { kind, secret }: Upstream,
  { origin, region, service }: Endpoint,
  { secrets, signer }: Credentials,
): Authenticate => {
  if (secret !== null) {
    return kind === 'anthropic'
      ? async () => ({ 'x-api-key': await secrets.read(secret) })
      : async () => ({ authorization: `Bearer ${await secrets.read(secret)}` })
  }
  return kind === 'bedrock'
    ? (path, body) => signer.sign({ origin, path, body, service, region })
    : withoutKey
}

/** The clients of all upstreams, created with the first request to each. */
export interface UpstreamClients {
  /** The client of an upstream with this configuration: one with an earlier configuration is closed once it is idle. */
  clientOf(upstream: Upstream): UpstreamClient
  /** Closes all connections at once. */
  close(): Promise<void>
}

interface Known {
  readonly settings: string
  readonly client: UpstreamClient
  /** The same upstream may be read anew. */
  upstream: Upstream
}

export const createUpstreamClients = (options: UpstreamClientOptions): UpstreamClients => {
  const clients = new Map<string, Known>()
  return {
    clientOf(upstream) {
      const known = clients.get(upstream.name)
      if (known?.upstream === upstream) return known.client
      const settings = settingsOf(upstream)
      if (known?.settings === settings) {
        known.upstream = upstream
        return known.client
      }
      // responses in progress continue on its connections
      void known?.client.retire()
      const client = createUpstreamClient(upstream, options)
      clients.set(upstream.name, { settings, client, upstream })
      return client
    },
    async close() {
      await Promise.all([...clients.values()].map(({ client }) => client.close()))
    },
  }
}

/** All that a client depends on. */
const settingsOf = ({ createdAt: _createdAt, version: _version, ...settings }: Upstream): string =>
  JSON.stringify(settings)
