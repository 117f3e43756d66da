import * as v from 'valibot'
import { isSecret, LONGEST_KEY_NAME, LONGEST_SECRET, SHORTEST_SECRET, secretRule } from '../core/model/key.ts'
import { DAY_SECONDS } from '../core/model/time.ts'
import { checkedBy, closedObject, plainRecord } from './containers.ts'
import { id, integer, moment, nextCursor, seconds } from './fields.ts'
import { faultsOf, type LocatedFault } from './parse.ts'

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

const NAME_RULE = `be 1 to ${LONGEST_KEY_NAME} characters long`

const perWindow = v.exactOptional(integer(0, Number.MAX_SAFE_INTEGER))

const keyEntryFields = {
  id: v.exactOptional(id),
  name: v.exactOptional(
    v.pipe(v.string(NAME_RULE), v.minLength(1, NAME_RULE), v.maxLength(LONGEST_KEY_NAME, NAME_RULE)),
  ),
  request_per_minute: perWindow,
  input_tokens_per_minute: perWindow,
  output_tokens_per_minute: perWindow,
}

const keyEntry = closedObject(keyEntryFields, {
  unknown: `not be given; known fields are ${Object.keys(keyEntryFields).join(', ')}`,
})

/** A key of `API_KEYS_FILE` or `API_KEYS_JSON`. The numbers are the limits per window. */
export type KeyEntry = v.InferOutput<typeof keyEntry>

/** Secrets may be shorter than those that are set over HTTP. */
const anySecret = v.pipe(
  v.string(),
  checkedBy((secret) => (isSecret(secret, 1) ? undefined : { must: secretRule(1) })),
)

const ENTRIES_RULE = '{<key>: {request_per_minute: <number>, …}}'

const keysDocument = closedObject(
  { keys: plainRecord(anySecret, keyEntry, `be ${ENTRIES_RULE}`) },
  { object: `be {keys: ${ENTRIES_RULE}}`, unknown: 'not be given: the only field is keys' },
)

/** The entries of any document; those that are not valid are empty. */
const readableEntries = v.object({ keys: plainRecord(v.string(), v.fallback(keyEntry, {})) })

/** The entries of `API_KEYS_FILE` or `API_KEYS_JSON` by their secrets, and every fault of the document. */
export const parseKeyEntries = (
  document: unknown,
): { readonly entries: ReadonlyMap<string, KeyEntry>; readonly faults: readonly LocatedFault[] } => {
  const { success, output } = v.safeParse(readableEntries, document)
  return {
    entries: new Map(success ? Object.entries(output.keys) : []),
    faults: faultsOf(keysDocument, document),
  }
}
