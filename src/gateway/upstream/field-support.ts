import type { JsonObject } from '../../core/model/json.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import type { Cache, CacheFactory, Clock } from '../../core/ports/platform.ts'
import type { FieldSupport } from '../apis/wire-api.ts'
import { type Target, targetKey } from './resting.ts'

/** The fields that each model at each upstream accepts. */
export interface FieldMemory {
  of(target: Target): FieldSupport
  /** Called when the target has accepted a request that it had refused with more fields. */
  remember(target: Target, support: FieldSupport): void
}

const ALL_FIELDS: FieldSupport = { streamOptions: true, maxCompletionTokens: true }

const MAX_TARGETS = 1_000

/** After this time the fields are sent again: an upstream may have been updated. */
const MAX_AGE_NS = 3_600n * SECOND_NS

interface Remembered {
  readonly support: FieldSupport
  readonly at: bigint
}

export const createFieldMemory = (clock: Clock, caches: CacheFactory): FieldMemory => {
  const remembered: Cache<Remembered> = caches({ max: MAX_TARGETS })
  let isEmpty = true
  return {
    of(target) {
      if (isEmpty) return ALL_FIELDS
      const known = remembered.get(targetKey(target))
      return known !== undefined && clock.monotonic() - known.at < MAX_AGE_NS ? known.support : ALL_FIELDS
    },
    remember(target, support) {
      isEmpty = false
      remembered.set(targetKey(target), { support, at: clock.monotonic() })
    },
  }
}

/** Fields that zael adds to requests, by the names that an error contains. */
const ADDED = [
  ['stream_options', 'streamOptions'],
  ['max_completion_tokens', 'maxCompletionTokens'],
] as const

/**
 * The support without the fields that an error with status 400 or 422 names; undefined: it names none that zael added. Fields
 * that the client sent are the client's mistake.
 */
export const supportAfter = (
  refusal: { readonly status: number; readonly text: string },
  support: FieldSupport,
  clientBody: JsonObject,
): FieldSupport | undefined => {
  if (refusal.status !== 400 && refusal.status !== 422) return undefined
  const refused = ADDED.filter(
    ([name, field]) => support[field] && refusal.text.includes(name) && !names(clientBody, name),
  )
  if (refused.length === 0) return undefined
  return { ...support, ...Object.fromEntries(refused.map(([, field]) => [field, false])) }
}

const names = (body: JsonObject, field: string): boolean => body[field] !== undefined && body[field] !== null
