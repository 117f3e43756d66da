import type { SigningService, Upstream } from '../model/upstream.ts'

/** The configured upstreams, cached as long as other configuration. Both throw `StoreUnavailable`. */
export interface UpstreamReader {
  upstream(name: string): Promise<Upstream | undefined>
  /** Whether any upstream is configured: without one, the simulated model answers. */
  hasUpstreams(): Promise<boolean>
}

/** A secret of an upstream cannot be read. The message is for administrators: it contains neither the value nor an SDK's text. */
export class SecretUnreadable extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = 'SecretUnreadable'
  }
}

/** The values of secrets that upstreams reference. */
export interface SecretReader {
  /**
   * The value of `env:NAME` or of a secret's ARN, cached. Rejects with `SecretUnreadable` if the reference is not allowed or
   * the secret cannot be read; neither the error nor a log line contains the value.
   */
  read(reference: string): Promise<string>
}

/** A request to AWS before its signature. */
export interface UnsignedRequest {
  /** `https://bedrock-runtime.us-east-1.amazonaws.com` */
  readonly origin: string
  readonly path: string
  readonly body: string
  readonly service: SigningService
  /** null: the region of the process. */
  readonly region: string | null
}

/** Signs requests with the AWS credentials of the process. */
export interface RequestSigner {
  /** The headers that the signature adds, by lower-case names. Rejects if there are no credentials or no region. */
  sign(request: UnsignedRequest): Promise<Readonly<Record<string, string>>>
}

/** Why an upstream failed: a status that it sent, or the cause of a broken exchange. */
export interface LastFailure {
  readonly cause: string
  /** ns since the epoch */
  readonly at: bigint
}

/** What this process has observed of a model at an upstream. */
export interface UpstreamState {
  readonly upstream: string
  /** The model's name at the upstream. */
  readonly model: string
  /** ns since the epoch; null: it does not rest. */
  readonly restsUntil: bigint | null
  /** null: none since the process started. */
  readonly lastFailure: LastFailure | null
}

/** The states of upstreams, in this process. */
export interface UpstreamStates {
  /** Of each upstream and model that has failed, unless that was long ago. */
  upstreamStates(): readonly UpstreamState[]
}
