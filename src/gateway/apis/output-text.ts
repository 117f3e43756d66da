import type { JsonValue } from '../../core/model/json.ts'
import { isObject } from '../json-values.ts'

/** Fields that no model writes, or that repeat or encode what it wrote. */
const NOT_WRITTEN = new Set([
  'id',
  'type',
  'index',
  'role',
  'status',
  'format',
  'call_id',
  'data',
  'signature',
  'encrypted_content',
  'result',
  'logprobs',
  'annotations',
])

/** An upstream's JSON may be nested without bound. */
const MAX_LEVELS = 8

/** All strings that a model wrote within a value, in order. */
export const writtenText = (value: JsonValue | undefined, levels = MAX_LEVELS): string => {
  if (typeof value === 'string') return value
  if (levels === 0) return ''
  if (Array.isArray(value)) return value.map((item) => writtenText(item, levels - 1)).join('')
  if (!isObject(value)) return ''
  let text = ''
  for (const [name, part] of Object.entries(value)) {
    if (!NOT_WRITTEN.has(name)) text += writtenText(part, levels - 1)
  }
  return text
}
