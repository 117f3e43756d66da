import { type Limit, MAX_SLOTS } from '../../src/core/model/limit.ts'
import { parseLimits } from '../../src/core/model/parse-limit.ts'
import { randomSecrets } from '../../src/platform/random-secrets.ts'
import type { KeyEntry } from './key-entries.ts'

/** Keys that everyone can read in the sample file, and that name their own entities, as those of the demo data do. */
const PUBLISHED = ['sk-test-tier-a', 'sk-test-tier-b']
const HASH_LENGTH = 8

export const isPublished = (secret: string): boolean => PUBLISHED.includes(secret)

/**
 * The entity of a key in a file: the one that its `id` names, else one that is named by the beginning of the key's hash. A
 * key's own text would be in the table, in logs and in answers.
 */
export const entityIdOf = (secret: string, id: string | undefined): string =>
  id ?? (isPublished(secret) ? secret : `file-${randomSecrets.hash(secret).slice(0, HASH_LENGTH)}`)

const LEAST_SLOTS = 2

/** Windows of `windowSeconds`, in slots of a second, or of a sixtieth of the window where that is longer. */
export const windowLimits = (entry: KeyEntry, windowSeconds: number): readonly Limit[] => {
  const slots = Math.max(LEAST_SLOTS, Math.min(MAX_SLOTS, windowSeconds))
  const sizes = [
    ['rpm', entry.request_per_minute],
    ['itpm', entry.input_tokens_per_minute],
    ['otpm', entry.output_tokens_per_minute],
  ] as const
  const limits = sizes.flatMap(([name, limit]) =>
    limit === undefined
      ? []
      : [{ name, algorithm: 'sliding_window', limit, window_seconds: windowSeconds, slots }],
  )
  return parseLimits(limits, 'limits')
}
