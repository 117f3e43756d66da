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

/** An upstream of a model, and the model's name there; null: its id. */
export interface ModelUpstream {
  readonly upstream: string
  readonly model: string | null
}

/** The upstream of models that name none. */
export const DEFAULT_UPSTREAM = 'default'
