import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import { isObject, objectsIn, stringOf } from '../json-values.ts'

/** Bounds of a sample: a schema may refer to itself, or ask for a million items. */
const [MAX_VALUES, MAX_LEVELS, MAX_ITEMS, MAX_CHARS] = [1000, 24, 64, 1024]

/** Below this level, a list has no more items than it must have, and of alternatives the simplest is taken. */
const SHALLOW_LEVELS = 4

interface Sampling {
  readonly root: JsonObject
  /** Work that may still be done, in values: parts that refer to each other could make it endless. */
  left: number
}

/** Fields that are copied in the time of a value. */
const FIELDS_PER_VALUE = 16

/** Where a value is: its level, and its number within a list, by which the items differ. */
interface Place {
  readonly level: number
  readonly index: number
}

/**
 * A value that fits a JSON schema: of an object the required properties, of a list the fewest items (but one), of alternatives the
 * first. References within the schema are followed. Patterns of strings are not.
 */
export const sampleOf = (schema: JsonValue | undefined): JsonValue => {
  const root = isObject(schema) ? schema : {}
  return sample(root, { level: 0, index: 0 }, { root, left: MAX_VALUES })
}

const sample = (schema: JsonValue | undefined, place: Place, sampling: Sampling): JsonValue => {
  sampling.left -= 1
  if (!isObject(schema) || sampling.left < 0 || place.level > MAX_LEVELS) return null
  const whole = resolved(schema, sampling)
  if (whole.const !== undefined) return whole.const
  if (Array.isArray(whole.enum) && whole.enum.length > 0)
    return whole.enum[place.index % whole.enum.length] ?? null
  const options = [whole.anyOf, whole.oneOf].find((list) => objectsIn(list).length > 0)
  if (options === undefined) return sampleOfType(typeOf(whole), whole, place, sampling)
  const { anyOf: _, oneOf: __, ...common } = whole
  const option = optionOf(objectsIn(options), place, sampling)
  return sample(merged([common, option], sampling), below(place), sampling)
}

const below = ({ level, index }: Place): Place => ({ level: level + 1, index })

/** The schema that a reference names, or that parts make together. */
const resolved = (schema: JsonObject, sampling: Sampling): JsonObject => {
  sampling.left -= 1
  const { $ref: reference, allOf, ...own } = schema
  const parts = [
    ...(typeof reference === 'string' ? [referred(reference, sampling.root)] : []),
    ...objectsIn(allOf),
  ]
  if (parts.length === 0 || sampling.left < 0) return own
  return merged([own, ...parts.map((part) => resolved(part, sampling))], sampling)
}

/** `#`, or a JSON pointer behind it. */
const referred = (reference: string, root: JsonObject): JsonObject => {
  let value: JsonValue = root
  for (const name of reference.split('/').slice(1)) {
    const key = name.replaceAll('~1', '/').replaceAll('~0', '~')
    value = isObject(value) && Object.hasOwn(value, key) ? (value[key] ?? null) : null
  }
  return isObject(value) ? value : {}
}

const merged = (schemas: readonly JsonObject[], sampling: Sampling): JsonObject => {
  const required = schemas.flatMap((schema) => namesIn(schema.required))
  const properties = joined(schemas.map((schema) => (isObject(schema.properties) ? schema.properties : {})))
  const fields = required.length + Object.keys(properties).length
  sampling.left -= fields / FIELDS_PER_VALUE
  return {
    ...joined(schemas),
    ...(required.length > 0 && { required }),
    ...(fields > required.length && { properties }),
  }
}

const joined = (objects: readonly JsonObject[]): JsonObject =>
  Object.fromEntries(objects.flatMap((object) => Object.entries(object)))

const namesIn = (value: JsonValue | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((name) => typeof name === 'string') : []

/** The first; deep within a schema that may refer to itself, one that ends there. */
const optionOf = (options: readonly JsonObject[], { level }: Place, sampling: Sampling): JsonObject => {
  const [first = {}] = options
  if (level < SHALLOW_LEVELS) return first
  return options.find((option) => !['object', 'array'].includes(typeOf(resolved(option, sampling)))) ?? first
}

const typeOf = ({ type, properties, required, items, prefixItems }: JsonObject): string => {
  if (typeof type === 'string') return type
  const named = namesIn(type)
  if (named.length > 0) return named.find((name) => name !== 'null') ?? 'null'
  if (isObject(properties) || required !== undefined) return 'object'
  return items !== undefined || prefixItems !== undefined ? 'array' : 'string'
}

const sampleOfType = (type: string, schema: JsonObject, place: Place, sampling: Sampling): JsonValue => {
  switch (type) {
    case 'object':
      return objectSample(schema, place, sampling)
    case 'array':
      return listSample(schema, place, sampling)
    case 'integer':
    case 'number':
      return numberSample(schema, type === 'integer' ? 1 : 0.5, place)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return textSample(schema, place)
  }
}

const objectSample = (schema: JsonObject, place: Place, sampling: Sampling): JsonObject => {
  const properties = isObject(schema.properties) ? schema.properties : {}
  const entries: [string, JsonValue][] = []
  const required = new Set(namesIn(schema.required))
  sampling.left -= required.size / FIELDS_PER_VALUE
  for (const name of required) {
    if (sampling.left <= 0) break
    entries.push([
      name,
      sample(Object.hasOwn(properties, name) ? properties[name] : {}, below(place), sampling),
    ])
  }
  return Object.fromEntries(entries)
}

const listSample = (schema: JsonObject, place: Place, sampling: Sampling): readonly JsonValue[] => {
  const least = numberOf(schema.minItems) ?? (place.level < SHALLOW_LEVELS ? 1 : 0)
  const length = Math.min(least, numberOf(schema.maxItems) ?? MAX_ITEMS, MAX_ITEMS)
  const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems : []
  return Array.from({ length: Math.max(length, Math.min(prefix.length, MAX_ITEMS)) }, (_, index) =>
    sample(prefix[index] ?? schema.items ?? {}, { level: place.level + 1, index }, sampling),
  )
}

const numberOf = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined

/** The least number within the bounds that is a multiple of `multipleOf`; `step` keeps from an excluded bound. */
const numberSample = (schema: JsonObject, step: number, { index }: Place): number => {
  const multiple = numberOf(schema.multipleOf) ?? 0
  const unit = multiple > 0 ? multiple : step
  const above = numberOf(schema.exclusiveMinimum)
  const under = numberOf(schema.exclusiveMaximum)
  const least = above === undefined ? numberOf(schema.minimum) : above + Math.min(unit, gap(above, under))
  const most = under === undefined ? numberOf(schema.maximum) : under - Math.min(unit, gap(above, under))
  const first = least ?? Math.min(1, most ?? 1)
  const exact = step === 1 || multiple > 0 ? Math.ceil(first / unit) * unit : first
  const varied = exact + index * unit
  return most !== undefined && varied > most ? Math.min(exact, most) : varied
}

/** Half of the way between two excluded bounds. */
const gap = (above: number | undefined, under: number | undefined): number =>
  above === undefined || under === undefined ? Number.POSITIVE_INFINITY : (under - above) / 2

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-01T00:00:00Z',
  date: '2026-01-01',
  time: '00:00:00Z',
  duration: 'P1D',
  email: 'simulated@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
}

const textSample = (schema: JsonObject, { index }: Place): string => {
  const format = FORMATS[stringOf(schema.format)]
  if (format !== undefined) return format
  const text = index === 0 ? 'simulated' : `simulated ${index + 1}`
  const least = Math.min(numberOf(schema.minLength) ?? 0, MAX_CHARS)
  return text.padEnd(least, '.').slice(0, Math.max(0, numberOf(schema.maxLength) ?? MAX_CHARS))
}
