import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { BucketItem, FieldValue } from '../../core/bucket/write.ts'
import { describeKey, INDEX_ATTRIBUTES, KEY_ATTRIBUTES } from './table-keys.ts'

/** An item as the SDK gives it. */
export type StoredItem = Record<string, AttributeValue>

/** What an item of the table may hold, the plain way. A number that must keep all its digits is a bigint. */
export type PlainValue =
  | string
  | bigint
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue }

/** DynamoDB's form of `value`: bigint and number → N. Fields that are undefined must be left out before. */
export const toAttribute = (value: PlainValue): AttributeValue => {
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'bigint' || typeof value === 'number') return { N: String(value) }
  if (typeof value === 'boolean') return { BOOL: value }
  if (value === null) return { NULL: true }
  return isList(value) ? { L: value.map(toAttribute) } : { M: toItem(value) }
}

const isList = (value: PlainValue): value is readonly PlainValue[] => Array.isArray(value)

export const toItem = (fields: Readonly<Record<string, PlainValue>>): StoredItem =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, toAttribute(value)]))

/** What JSON can say. */
export type PlainJson =
  | string
  | number
  | boolean
  | null
  | readonly PlainJson[]
  | { readonly [name: string]: PlainJson }

/** The JSON that an attribute holds; undefined where there is none, or it holds a set or bytes. */
export const fromAttribute = (attribute: AttributeValue | undefined): PlainJson | undefined => {
  if (attribute?.S !== undefined) return attribute.S
  if (attribute?.N !== undefined) return Number(attribute.N)
  if (attribute?.NULL !== undefined) return null
  if (attribute?.L !== undefined) return attribute.L.map((each) => fromAttribute(each) ?? null)
  return attribute?.M === undefined ? attribute?.BOOL : jsonMap(attribute.M)
}

const jsonMap = (map: StoredItem): { readonly [name: string]: PlainJson } =>
  Object.fromEntries(Object.entries(map).map(([name, each]) => [name, fromAttribute(each) ?? null]))

export const fieldAttribute = (value: FieldValue): AttributeValue => toAttribute(value)

const KEYS: ReadonlySet<string> = new Set([...KEY_ATTRIBUTES, ...INDEX_ATTRIBUTES])

/**
 * A bucket's attributes without the keys of the table. Throws an error that names the item where an attribute is no
 * whole number, text, or map of whole numbers: nothing is decided on what cannot be read.
 */
export const toBucketItem = (item: StoredItem): BucketItem => {
  const fields: Record<string, FieldValue> = {}
  for (const [name, attribute] of Object.entries(item)) {
    if (KEYS.has(name)) continue
    const value = toField(attribute)
    if (value === undefined) throw unreadable(item, name)
    fields[name] = value
  }
  return fields
}

const toField = (attribute: AttributeValue): FieldValue | undefined => {
  if (attribute.S !== undefined) return attribute.S
  if (attribute.N !== undefined) return toInteger(attribute.N)
  return attribute.M === undefined ? undefined : toIntegerMap(attribute.M)
}

const toIntegerMap = (map: StoredItem): Readonly<Record<string, bigint>> | undefined => {
  const integers: Record<string, bigint> = {}
  for (const [key, attribute] of Object.entries(map)) {
    const value = attribute.N === undefined ? undefined : toInteger(attribute.N)
    if (value === undefined) return undefined
    integers[key] = value
  }
  return integers
}

/** DynamoDB writes integers of up to 38 digits without an exponent. */
export const toInteger = (text: string): bigint | undefined =>
  /^-?\d+$/.test(text) ? BigInt(text) : undefined

/** The error for an item that is not what it should be. */
export const unreadable = (item: StoredItem, attribute: string, cause?: Error): Error =>
  new Error(
    `Unreadable item in the table (${describeKey({ PK: item.PK?.S, SK: item.SK?.S })}): ${cause?.message ?? `attribute ${attribute}`}`,
    { cause },
  )
