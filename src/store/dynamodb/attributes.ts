import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { BucketItem, FieldValue } from '../../core/bucket/write.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import { describeKey, INDEX_ATTRIBUTES, KEY_ATTRIBUTES } from './table-keys.ts'

const ISO = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/

/** ns since the epoch as ISO 8601 with nine digits of a second, so that text sorts by time. */
export const toIsoTime = (ns: bigint): string => {
  const seconds = new Date(Number(ns / SECOND_NS) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(ns % SECOND_NS).padStart(9, '0')}Z`
}

/** ns since the epoch; undefined if `text` is not a time in UTC. */
export const fromIsoTime = (text: string): bigint | undefined => {
  const [, seconds, fraction = ''] = ISO.exec(text) ?? []
  const ms = seconds === undefined ? Number.NaN : Date.parse(`${seconds}Z`)
  return Number.isNaN(ms) ? undefined : BigInt(ms / 1000) * SECOND_NS + BigInt(fraction.padEnd(9, '0'))
}

/** The UTC day of a time, as `2026-01-31`. */
export const dayOf = (ns: bigint): string => toIsoTime(ns).slice(0, 10)

/** An item of the SDK. */
export type StoredItem = Record<string, AttributeValue>

/** The content of an item as plain values. A number that must keep all its digits is a bigint. */
export type PlainValue =
  | string
  | bigint
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue }

/** `value` as an attribute: bigint and number → N. Leave out undefined fields before. */
const toAttribute = (value: PlainValue): AttributeValue => {
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'bigint' || typeof value === 'number') return { N: String(value) }
  if (typeof value === 'boolean') return { BOOL: value }
  if (value === null) return { NULL: true }
  return isList(value) ? { L: value.map(toAttribute) } : { M: toItem(value) }
}

const isList = (value: PlainValue): value is readonly PlainValue[] => Array.isArray(value)

export const toItem = (fields: Readonly<Record<string, PlainValue>>): StoredItem =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, toAttribute(value)]))

/** JSON values. */
export type PlainJson =
  | string
  | number
  | boolean
  | null
  | readonly PlainJson[]
  | { readonly [name: string]: PlainJson }

/** The JSON in an attribute; undefined if there is none, or the attribute is a set or binary. */
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
 * The attributes of a bucket without the keys of the table. Throws an error that names the item if an attribute is not a whole
 * number, a text, or a map of whole numbers: no decision is based on an unreadable item.
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

/** DynamoDB returns integers of up to 38 digits without an exponent. */
const toInteger = (text: string): bigint | undefined => (/^-?\d+$/.test(text) ? BigInt(text) : undefined)

/** The error for an item with an invalid attribute. */
export const unreadable = (item: StoredItem, attribute: string, cause?: Error): Error =>
  new Error(
    `Unreadable item in the table (${describeKey({ PK: item.PK?.S, SK: item.SK?.S })}): ${cause?.message ?? `attribute ${attribute}`}`,
    { cause },
  )

/**
 * Reads and checks an item attribute by attribute, because tables can be edited by hand. Every method throws an error that names
 * the item and the attribute if its type is wrong; the `…OrNull` methods return null if it is missing.
 */
export interface ItemReader {
  text(name: string): string
  textOrNull(name: string): string | null
  /** One of `words`. */
  word<W extends string>(name: string, words: readonly W[]): W
  flag(name: string): boolean
  integer(name: string): bigint
  number(name: string): number
  numberOrNull(name: string): number | null
  /** ns since the epoch */
  time(name: string): bigint
  timeOrNull(name: string): bigint | null
  textsOrNull(name: string): readonly string[] | null
  numbers(name: string): readonly number[]
  textMap(name: string): Readonly<Record<string, string>>
  mapOrNull(name: string): ItemReader | null
  /** A list of maps. */
  maps(name: string): readonly ItemReader[]
  /** A map of whole numbers and texts. */
  scalars(name: string): Readonly<Record<string, bigint | string>>
  has(name: string): boolean
  /** The error for an attribute with an invalid value. */
  unreadable(name: string, cause?: Error): Error
}

/** Errors name `item`. The reader reads `fields`: the item itself, or a map in it at `path`. */
export const createItemReader = (item: StoredItem, fields: StoredItem = item, path = ''): ItemReader => {
  const bad = (name: string, cause?: Error): Error => unreadable(item, `${path}${name}`, cause)
  const demand = <T>(name: string, value: T | undefined): T => {
    if (value === undefined) throw bad(name)
    return value
  }
  const has = (name: string): boolean => fields[name] !== undefined && fields[name].NULL === undefined
  const orNull = <T>(name: string, read: (name: string) => T): T | null => (has(name) ? read(name) : null)
  const text = (name: string): string => demand(name, fields[name]?.S)
  const number = (name: string): number => finite(demand(name, fields[name]?.N)) ?? fail(bad(name))
  const time = (name: string): bigint => demand(name, fromIsoTime(text(name)))
  const nested = (name: string, map: StoredItem | undefined): ItemReader =>
    createItemReader(item, demand(name, map), `${path}${name}.`)

  return {
    text,
    number,
    time,
    has,
    unreadable: bad,
    textOrNull: (name) => orNull(name, text),
    numberOrNull: (name) => orNull(name, number),
    timeOrNull: (name) => orNull(name, time),
    word: (name, words) => demand(name, wordIn(words, text(name))),
    flag: (name) => demand(name, fields[name]?.BOOL),
    integer: (name) => demand(name, toInteger(demand(name, fields[name]?.N))),
    textsOrNull: (name) => orNull(name, () => demand(name, fields[name]?.L).map(({ S }) => demand(name, S))),
    numbers: (name) =>
      demand(name, fields[name]?.L).map(({ N }) => finite(demand(name, N)) ?? fail(bad(name))),
    textMap: (name) =>
      Object.fromEntries(
        Object.entries(demand(name, fields[name]?.M)).map(([key, { S }]) => [key, demand(name, S)]),
      ),
    maps: (name) => demand(name, fields[name]?.L).map(({ M }, index) => nested(`${name}[${index}]`, M)),
    scalars: (name) => scalarsIn(demand(name, fields[name]?.M), (key) => bad(`${name}.${key}`)),
    mapOrNull: (name) => orNull(name, () => nested(name, fields[name]?.M)),
  }
}

const wordIn = <W extends string>(words: readonly W[], text: string): W | undefined =>
  words.find((word) => word === text)

const scalarsIn = (map: StoredItem, bad: (key: string) => Error): Readonly<Record<string, bigint | string>> =>
  Object.fromEntries(
    Object.entries(map).map(([key, { S, N }]) => [key, S ?? toInteger(N ?? '') ?? fail(bad(key))]),
  )

const finite = (text: string): number | undefined =>
  Number.isFinite(Number(text)) ? Number(text) : undefined

const fail = (error: Error): never => {
  throw error
}
