import type { SigningService, Upstream } from '../model/upstream.ts'
import type { Eventual } from './when-ready.ts'

/** The configured upstreams, cached as long as other configuration. Both reject with `StoreUnavailable`. */
export interface UpstreamReader {
  upstream(name: string): Eventual<Upstream | undefined>
  /** Whether any upstream is configured: without one, the simulated model answers. */
  hasUpstreams(): Eventual<boolean>
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
  /** The share of their limits that callers have on the model, above 0; 1: all. */
  readonly factor: number
  /** ns since the epoch; null: it does not rest. */
  readonly restsUntil: bigint | null
  /** null: none since the process started. */
  readonly lastFailure: LastFailure | null
}

/** The states of upstreams, in this process. */
export interface UpstreamStates {
  /** Of each upstream and model that has failed, unless that was long ago, or of which less is admitted. */
  upstreamStates(): readonly UpstreamState[]
}

/** How a request to an upstream ended. `connection`: it was not connected, reset, or has no credentials. */
export const UPSTREAM_OUTCOMES = [
  'ok',
  'client_error',
  'rate_limited',
  'server_error',
  'connection',
  'timeout',
  'aborted',
] as const

export type UpstreamOutcome = (typeof UPSTREAM_OUTCOMES)[number]

/** A model at an upstream, both by configured names. */
export type UpstreamTarget = Pick<UpstreamState, 'upstream' | 'model'>

/** The names of metrics of upstreams, whose labels are `upstream` and `model`, and `outcome` of requests. */
export type UpstreamMetricName =
  | 'upstream_requests'
  | 'upstream_fallbacks'
  | 'upstream_rests'
  | 'upstream_response_seconds'
  | 'upstream_first_event_seconds'
  | 'upstream_resting'
  | 'upstream_factor'

/** Counts what happens at upstreams. */
export interface UpstreamMetrics {
  /** A request has ended; a stream, when its last event has been sent. */
  ended(target: UpstreamTarget, outcome: UpstreamOutcome): void
  /** The head of a response has arrived, so many seconds after the request. */
  responded(target: UpstreamTarget, seconds: number): void
  /** A stream has begun: its first event, or comment, has arrived. */
  began(target: UpstreamTarget, seconds: number): void
  /** The request was sent to the next upstream of the model instead. */
  fellBack(target: UpstreamTarget): void
  /** The target begins to rest. */
  rested(target: UpstreamTarget): void
}

export const noUpstreamMetrics: UpstreamMetrics = {
  ended() {},
  responded() {},
  began() {},
  fellBack() {},
  rested() {},
}
