import * as v from 'valibot'
import { isSecret, LONGEST_KEY_NAME, secretRule } from '../core/model/key.ts'
import { checkedBy, closedObject, plainRecord } from './containers.ts'
import { id, integer } from './fields.ts'
import { faultsOf, type LocatedFault } from './parse.ts'

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
