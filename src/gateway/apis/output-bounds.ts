import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import { MAX_TOKENS } from './usage.ts'

/** The names of maxima in all APIs: upstreams differ in which of them they obey. */
const MAXIMA = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const

/** More than any upstream answers. Keeps products with `MAX_TOKENS` exact. */
const MAX_CHOICES = 100_000

/** The largest maximum of output tokens that the body names, for one choice; null: none. */
export const largestMaximum = (body: JsonObject): number | null => {
  let largest: number | null = null
  for (const name of MAXIMA) {
    const value = body[name]
    if (isPositive(value)) largest = Math.max(largest ?? 0, Math.min(value, MAX_TOKENS))
  }
  return largest
}

/** Whether one of the fields is a maximum. */
export const namesOneOf = (body: JsonObject, fields: readonly (typeof MAXIMA)[number][]): boolean =>
  fields.some((field) => isPositive(body[field]))

/** The largest of the fields that count choices; 1 if none is given. */
export const choicesOf = (body: JsonObject, fields: readonly string[]): number => {
  let most = 1
  for (const field of fields) {
    const value = body[field]
    if (isPositive(value)) most = Math.max(most, Math.min(value, MAX_CHOICES))
  }
  return most
}

const isPositive = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1
