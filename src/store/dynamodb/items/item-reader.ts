import { type StoredItem, toInteger, unreadable } from '../attribute-values.ts'
import { fromIsoTime } from './iso-time.ts'

/**
 * Reads an item attribute by attribute and trusts none: people edit tables by hand. Every method throws an error that
 * names the item and the attribute where it is not what it must be; the `…OrNull` ones take a missing one as null.
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
  textMap(name: string): Readonly<Record<string, string>>
  mapOrNull(name: string): ItemReader | null
  /** A list of maps. */
  maps(name: string): readonly ItemReader[]
  /** A map of whole numbers and texts. */
  scalars(name: string): Readonly<Record<string, bigint | string>>
  has(name: string): boolean
  /** The error for an attribute that does not make sense. */
  unreadable(name: string, cause?: Error): Error
}

/** `item` is named in errors; `fields` is what is read: the item itself, or a map within it at `path`. */
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
    word: (name, words) => {
      const found = text(name)
      return demand(
        name,
        words.find((each) => each === found),
      )
    },
    flag: (name) => demand(name, fields[name]?.BOOL),
    integer: (name) => demand(name, toInteger(demand(name, fields[name]?.N))),
    textsOrNull: (name) => orNull(name, () => demand(name, fields[name]?.L).map(({ S }) => demand(name, S))),
    textMap: (name) =>
      Object.fromEntries(
        Object.entries(demand(name, fields[name]?.M)).map(([key, { S }]) => [key, demand(name, S)]),
      ),
    maps: (name) => demand(name, fields[name]?.L).map(({ M }, index) => nested(`${name}[${index}]`, M)),
    scalars: (name) => scalarsIn(demand(name, fields[name]?.M), (key) => bad(`${name}.${key}`)),
    mapOrNull: (name) => orNull(name, () => nested(name, fields[name]?.M)),
  }
}

const scalarsIn = (map: StoredItem, bad: (key: string) => Error): Readonly<Record<string, bigint | string>> =>
  Object.fromEntries(
    Object.entries(map).map(([key, { S, N }]) => [key, S ?? toInteger(N ?? '') ?? fail(bad(key))]),
  )

const finite = (text: string): number | undefined =>
  Number.isFinite(Number(text)) ? Number(text) : undefined

const fail = (error: Error): never => {
  throw error
}
