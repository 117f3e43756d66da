import type { Beginning, RememberedAnswer } from '../../../core/ports/idempotency-store.ts'
import { fromAttribute, type PlainValue, type StoredItem, toItem } from '../attribute-values.ts'
import { idempotencyKey } from '../table-keys.ts'
import { toIsoTime } from './iso-time.ts'
import { createItemReader } from './item-reader.ts'

const SECOND_NS = 1_000_000_000n

export const pendingItem = ({ key, bodyHash, attemptId, ...times }: Beginning): StoredItem =>
  toItem({
    ...idempotencyKey(key.callerId, key.keyHash),
    state: 'pending',
    body_sha256: bodyHash,
    attempt: attemptId,
    created_at: toIsoTime(times.now),
    pending_until: toIsoTime(times.pendingUntil),
    expires_at: toIsoTime(times.expiresAt),
    ttl: times.expiresAt / SECOND_NS,
  })

export const answerFields = ({ status, headers, body }: RememberedAnswer): PlainValue => ({
  status,
  headers,
  body,
})

/** What a record remembers; `answer` is null while it is pending. Throws an error that names the item where it cannot be read. */
export const rememberedIn = (
  item: StoredItem,
): {
  readonly bodyHash: string
  readonly answer: RememberedAnswer | null
  /** ns since the epoch; `pendingUntil` null: it is answered. */
  readonly expiresAt: bigint
  readonly pendingUntil: bigint | null
} => {
  const read = createItemReader(item)
  const answer = read.mapOrNull('answer')
  return {
    bodyHash: read.text('body_sha256'),
    expiresAt: read.time('expires_at'),
    pendingUntil: read.timeOrNull('pending_until'),
    answer: answer && {
      status: answer.number('status'),
      headers: answer.textMap('headers'),
      body: fromAttribute(item.answer?.M?.body) ?? null,
    },
  }
}
