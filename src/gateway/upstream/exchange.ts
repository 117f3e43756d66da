import type { AbortSignalLike, ResponseHeaders } from '../../core/ports/model-backend.ts'

/** One request to an upstream. */
export interface UpstreamRequest {
  readonly path: string
  /** JSON. */
  readonly body: string
  readonly headers: ResponseHeaders
  /** Aborts when the caller disconnects: the exchange ends within the same turn. */
  readonly signal: AbortSignalLike
}

/** An upstream's response, whose body is read as it arrives. */
export interface UpstreamResponse {
  readonly status: number
  /** Lower-case names; several values of one name are joined by `, `. */
  readonly headers: ResponseHeaders
  /** The next bytes of the body; undefined: its end. Reads no more than the connection buffers. Rejects with `UpstreamFailure`. */
  read(): Promise<Uint8Array | undefined>
  /** Ends the exchange and closes its connection, unless the body has ended. */
  cancel(): void
}

/** Why an exchange ended without a whole response. */
export type FailureCause =
  | 'connect'
  | 'reset'
  | 'connect_timeout'
  | 'first_byte'
  | 'idle'
  | 'total'
  | 'aborted'

interface FailureOptions {
  /** The upstream may have received the request. */
  readonly wasSent: boolean
  /** The connection was idle before, and was reset at once: most likely the upstream had closed it before the request arrived. */
  readonly wasStale?: boolean
  readonly cause?: unknown
}

export class UpstreamFailure extends Error {
  readonly failure: FailureCause
  readonly wasSent: boolean
  readonly wasStale: boolean

  constructor(failure: FailureCause, options: FailureOptions) {
    super(`upstream exchange failed: ${failure}`, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'UpstreamFailure'
    this.failure = failure
    this.wasSent = options.wasSent
    this.wasStale = options.wasStale ?? false
  }
}

/** The connections to one upstream. */
export interface UpstreamConnection {
  /** Resolves with the head of the response. Rejects with `UpstreamFailure`. */
  send(request: UpstreamRequest): Promise<UpstreamResponse>
  /** Closes the connections once their responses have ended. */
  retire(): Promise<void>
  /** Closes the connections at once. */
  close(): Promise<void>
}
