export const UPSTREAM_KINDS = ['openai', 'anthropic', 'bedrock', 'simulated'] as const

export type UpstreamKind = (typeof UPSTREAM_KINDS)[number]

/** The services that Bedrock's endpoints are signed for. */
export const SIGNING_SERVICES = ['bedrock', 'bedrock-mantle'] as const

export type SigningService = (typeof SIGNING_SERVICES)[number]

/** A provider of models, as an administrator configures it. */
export interface Upstream {
  readonly name: string
  readonly kind: UpstreamKind
  /**
   * With `/v1` for `openai`, without for `anthropic`. Null: none, for `simulated`; for `bedrock` the public endpoint of the
   * region.
   */
  readonly baseUrl: string | null
  /** Only of `bedrock`; null there: the region of the process. */
  readonly region: string | null
  /** Only of `bedrock`; null there: by the host of `baseUrl`. */
  readonly signingService: SigningService | null
  /** A reference: `env:NAME`, or the ARN of a secret in Secrets Manager. Null: the upstream requires no key. */
  readonly secret: string | null
  /** Headers that every request to the upstream has, by lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeouts: UpstreamTimeouts
  /** ns since the epoch */
  readonly createdAt: bigint
}

/** In seconds. */
export interface UpstreamTimeouts {
  readonly connectSeconds: number
  /** Until the first byte of the response's body, or its end. */
  readonly firstByteSeconds: number
  /** Without any byte, after the first. */
  readonly idleSeconds: number
  readonly totalSeconds: number
}

/** Reasoning models think for minutes before the first byte; the official clients wait 10 minutes. */
export const DEFAULT_TIMEOUTS: UpstreamTimeouts = {
  connectSeconds: 10,
  firstByteSeconds: 600,
  idleSeconds: 120,
  totalSeconds: 900,
}

/** Names of upstreams, which response headers contain. */
export const UPSTREAM_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const UPSTREAM_NAME_RULE = 'be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit'

export const isUpstreamName = (value: string): boolean => UPSTREAM_NAME_PATTERN.test(value)

/** Names of models at an upstream: ids of any provider, Bedrock's ARNs included. */
export const UPSTREAM_MODEL_PATTERN = /^[\x21-\x7e]{1,256}$/

export const UPSTREAM_MODEL_RULE = 'be 1 to 256 printable ASCII characters without spaces'

/** The most upstreams of a model: each can take its whole connect timeout before the next is tried. */
export const MAX_MODEL_UPSTREAMS = 8

/** An upstream of a model, and the model's name there; null: its id. */
export interface ModelUpstream {
  readonly upstream: string
  readonly model: string | null
}

/** The upstream of models that name none. */
export const DEFAULT_UPSTREAM = 'default'
