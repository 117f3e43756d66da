import { invalid } from '../../core/model/errors.ts'
import type { JsonObject } from '../../core/model/json.ts'

/** Fields by which zael authorizes, counts, bounds or settles a request, of all APIs. */
const READ_FIELDS = [
  'model',
  'messages',
  'system',
  'prompt',
  'suffix',
  'input',
  'instructions',
  'tools',
  'functions',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n',
  'best_of',
  'stream',
  'stream_options',
  'background',
  'conversation',
  'previous_response_id',
  'store',
  'service_tier',
  'modalities',
  'cache_control',
] as const

/** The names in the APIs have no other characters. */
const UNUSUAL = /[^a-z\d_]/

/** To upper case and back: the long s and the Kelvin sign each become an ASCII letter in only one of the directions. */
const folded = (name: string): string => name.toUpperCase().toLowerCase().replaceAll('_', '')

const BY_FOLDED_NAME: ReadonlyMap<string, string> = new Map(READ_FIELDS.map((name) => [folded(name), name]))

/**
 * Throws `invalid_request` for a field that differs from one that zael reads only in case, or is its name in camel case. JSON
 * parsers of Go ignore case, and those of Protocol Buffers accept `maxTokens`: at such an upstream the field would replace the
 * model or the maximum that was checked and reserved.
 */
export const requireExactNames = (body: JsonObject): void => {
  for (const name in body) {
    if (!UNUSUAL.test(name)) continue
    const read = BY_FOLDED_NAME.get(folded(name))
    if (read !== undefined) throw invalid(name, `be named ${read}: names are case-sensitive`)
  }
}
