import type { JsonObject, JsonValue } from '../core/model/json.ts'

/** Whether a value that was parsed from JSON is an object. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The text as a JSON object; undefined: it is none. */
export const parseObject = (text: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The objects of a list; none if `value` is not a list. */
export const objectsIn = (value: JsonValue | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []

/** The string, or an empty one. */
export const stringOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '')
