import { type BucketId, bucketKey } from '../bucket/bucket-id.ts'
import type { Decision, LimitState, Violation } from '../deciding/decision.ts'
import { policyLabel, selectorText } from '../policy/policy-key.ts'

/** What a decision found of one limit, in the words of logs. Holds ids and numbers, never a secret. */
export interface Evaluation {
  /** `key-bob:gpt-4`, or of a policy `USER_MODEL:ent-user-2:gpt-4o`. */
  readonly key: string
  /** `key-bob gpt-4`, or of a policy `USER_MODEL ent-user-2:gpt-4o`. */
  readonly label: string
  readonly limitName: string
  /** What is in use after the decision. */
  readonly count: number
  readonly limit: number
}

/** A limit that denied. */
export interface DenialEvaluation extends Evaluation {
  readonly requested: number
  /** Rounded up; null: the request can never pass. */
  readonly retryAfterMs: number | null
}

/** Every limit that the decision looked at. */
export const evaluationsOf = ({ limits }: Pick<Decision, 'limits'>): readonly Evaluation[] =>
  limits.map(evaluationOf)

const MS_NS = 1_000_000n

export const denialOf = ({ state, requested, retryAfterNs }: Violation): DenialEvaluation => ({
  ...evaluationOf(state),
  requested,
  retryAfterMs: retryAfterNs === null ? null : Number((retryAfterNs + MS_NS - 1n) / MS_NS),
})

/** A text that no two limits of any two buckets share. */
export const limitKey = ({ bucket, limit }: LimitState): string => `${bucketKey(bucket)}#${limit.name}`

/** What a decision found of one limit. */
export const evaluationOf = ({ bucket, limit, used, capacity }: LimitState): Evaluation => ({
  ...namesOf(bucket),
  limitName: limit.name,
  count: used,
  limit: capacity,
})

const namesOf = (bucket: BucketId): Pick<Evaluation, 'key' | 'label'> =>
  bucket.kind === 'policy'
    ? { key: `${bucket.scope}:${selectorText(bucket)}`, label: policyLabel(bucket) }
    : { key: `${bucket.entityId}:${bucket.resource}`, label: `${bucket.entityId} ${bucket.resource}` }
