import type { CheckAllowed } from '../../api/answers.ts'

export type LimitState = CheckAllowed['limits'][number]

export interface OwnedLimits {
  /** An entity's id, or `POLICY:<scope>:<selector>`. */
  readonly owner: string
  readonly limits: readonly LimitState[]
}

/** In the order in which they come: the caller's own first. */
export const byOwner = (limits: readonly LimitState[]): readonly OwnedLimits[] =>
  [...new Set(limits.map(({ entity_id }) => entity_id))].map((owner) => ({
    owner,
    limits: limits.filter(({ entity_id }) => entity_id === owner),
  }))

/** Whether time alone will soon change what is shown. */
export const isFilling = (owned: readonly OwnedLimits[]): boolean =>
  owned.some(({ limits }) => limits.some(({ used, algorithm }) => used > 0 && algorithm === 'token_bucket'))
