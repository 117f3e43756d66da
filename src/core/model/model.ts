import type { Prices, TokenWeights } from './prices.ts'
import type { ModelUpstream } from './upstream.ts'

/** A registered model: a resource with a tier, prices and upstreams. */
export interface Model {
  readonly id: string
  readonly tier: string | null
  readonly prices: Prices | null
  /** What its tokens count in the meter `tokens`; null: 1 each. */
  readonly tokenWeights: TokenWeights | null
  /** In the order in which they are tried. Empty: the upstream `default`. */
  readonly upstreams: readonly ModelUpstream[]
  /** The bound of each response's output if the request names none. */
  readonly maxOutputTokens: number
  /** ns since the epoch */
  readonly createdAt: bigint
  /**
   * Orders changes: max(ns since the epoch of the change, the version before + 1). 0: stored before items of this kind had
   * versions.
   */
  readonly version: bigint
}

/** A model as it is registered: fields that are absent take their defaults. */
export interface ModelDraft {
  readonly tier?: string | null
  readonly prices?: Prices | null
  readonly tokenWeights?: TokenWeights | null
  readonly upstreams?: readonly ModelUpstream[]
  readonly maxOutputTokens?: number
}

/** The model that a draft describes. Without a version it is new. */
export const modelOf = (id: string, draft: ModelDraft, createdAt: bigint, version = createdAt): Model => ({
  id,
  tier: draft.tier ?? null,
  prices: draft.prices ?? null,
  tokenWeights: draft.tokenWeights ?? null,
  upstreams: draft.upstreams ?? [],
  maxOutputTokens: draft.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
  createdAt,
  version,
})

/** The bound of output tokens of a model for which none is configured. */
export const DEFAULT_MAX_OUTPUT_TOKENS = 4096

export const MOST_OUTPUT_TOKENS = 1_000_000_000

export const MAX_OUTPUT_RULE = `be an integer from 1 to ${MOST_OUTPUT_TOKENS}`
