export const UPSTREAM_KINDS = ['openai', 'anthropic', 'bedrock', 'simulated'] as const

export type UpstreamKind = (typeof UPSTREAM_KINDS)[number]

/** The services that Bedrock's endpoints are signed for. */
export const SIGNING_SERVICES = ['bedrock', 'bedrock-mantle'] as const

export type SigningService = (typeof SIGNING_SERVICES)[number]

/** A provider of models, as an administrator configures it. */
export interface UpstreamDraft {
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
  /** Null: what is admitted does not depend on the upstream. */
  readonly adaptive: AdaptiveAdmission | null
}

/** An upstream that is at its own limit shrinks what is admitted to its models. */
export interface AdaptiveAdmission {
  /** The least share of their limits that callers keep. */
  readonly floor: number
}

export const DEFAULT_FLOOR = 0.1

export const FLOOR_BOUNDS = { least: 0.01, most: 0.9 } as const

/** A provider of models. */
export interface Upstream extends UpstreamDraft {
  readonly name: string
  /** ns since the epoch */
  readonly createdAt: bigint
  /**
   * Orders changes: max(ns since the epoch of the change, the version before + 1). 0: stored before items of this kind had
   * versions.
   */
  readonly version: bigint
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

/** `env:NAME`, or the ARN of a secret in Secrets Manager. */
export type SecretReference =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'arn'; readonly arn: string; readonly region: string }

/** Only these variables of the environment hold secrets of upstreams: no other one of the process may be referenced. */
const SECRET_VARIABLE = /^env:(UPSTREAM_SECRET_[A-Z0-9_]{1,100}|UPSTREAM_API_KEY)$/

const SECRET_ARN = /^arn:aws[a-z-]{0,20}:secretsmanager:([a-z0-9-]{1,30}):\d{12}:secret:[\w/+=.@-]{1,519}$/

export const SECRET_RULE =
  'be a reference, never a key: env:UPSTREAM_SECRET_<NAME> or env:UPSTREAM_API_KEY for a variable of the environment, or the ARN of a secret in Secrets Manager'

/** Undefined: it is no reference. `variable`: the references to the environment that are allowed. */
export const parseSecretReference = (
  text: string,
  variable = SECRET_VARIABLE,
): SecretReference | undefined => {
  const name = variable.exec(text)?.[1]
  if (name !== undefined) return { kind: 'env', name }
  const region = SECRET_ARN.exec(text)?.[1]
  return region === undefined ? undefined : { kind: 'arn', arn: text, region }
}

/** In seconds: a response of an hour is longer than any client waits. */
export const TIMEOUT_BOUNDS = { least: 0.1, most: 3600, mostToConnect: 120 } as const

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
