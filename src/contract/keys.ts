import * as v from 'valibot'
import { LONGEST_KEY_NAME, LONGEST_SECRET, SHORTEST_SECRET, secretRule } from '../core/model/key.ts'
import { DAY_SECONDS } from '../core/model/time.ts'
import { moment, nextCursor, seconds } from './fields.ts'

/** The key service's default rule; the demo seed has another one. */
const SECRET_PATTERN = new RegExp(`^[\\x21-\\x7e]{${SHORTEST_SECRET},${LONGEST_SECRET}}$`)

export const newKeyBody = v.strictObject({
  name: v.exactOptional(v.pipe(v.string(), v.maxLength(LONGEST_KEY_NAME))),
  secret: v.exactOptional(v.pipe(v.string(), v.regex(SECRET_PATTERN, secretRule(SHORTEST_SECRET)))),
  expires_at: v.exactOptional(v.nullable(moment)),
})

const LONGEST_GRACE_SECONDS = 30 * DAY_SECONDS

export const rotateBody = v.strictObject({
  grace_seconds: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(LONGEST_GRACE_SECONDS))),
})

export const newKeyResponse = v.object({
  key_id: v.string(),
  secret: v.pipe(v.string(), v.description('Shown only in this response')),
  name: v.string(),
  expires_at: v.nullable(seconds),
})

export const keyResponse = v.pipe(
  v.object({
    key_id: v.string(),
    name: v.string(),
    masked_secret: v.string(),
    status: v.picklist(['active', 'revoked']),
    expires_at: v.nullable(seconds),
    created_at: seconds,
  }),
  v.metadata({ ref: 'ApiKey' }),
)

export const keysResponse = v.object({ items: v.array(keyResponse), next_cursor: nextCursor })
