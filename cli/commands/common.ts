import { type Command, InvalidArgumentError, Option } from 'commander'
import { CliError, usageError } from '../failure.ts'
import { type Column, tableText } from '../output/table.ts'
import type { Session } from '../session.ts'

const DEFAULT_MOST = 1000

/** `--limit` of lists that may be long. */
export const mostOption = (): Option =>
  new Option('--limit <count>', 'the most items that are listed')
    .default(DEFAULT_MOST)
    .argParser(wholeNumber(1))

/** A parser of whole numbers from `least`, for options and arguments. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= least) return value
    throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`)
  }

/** Adds a value of an option that may be repeated, or that separates its values by commas. */
export const listed = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
]

/** Adds `name=value` of an option that may be repeated. */
export const named = (
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> => {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be <name>=<value>.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** A parser of durations: `90d`, `12h`, `30m`, `45s`, as seconds. */
export const durationSeconds = (text: string): number => {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('It must be like 90d, 12h, 30m or 45s.')
  return Number(amount) * (UNIT_SECONDS[unit] ?? 1)
}

/** A parser of times: seconds since the epoch, or ISO 8601 with a zone or a date alone, which is UTC. */
export const moment = (text: string): number => {
  if (/^\d{1,12}$/.test(text)) return Number(text)
  const isClear = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text)
  const ms = Date.parse(text)
  if (!isClear || Number.isNaN(ms))
    throw new InvalidArgumentError(
      'It must be like 2027-01-31, 2027-01-31T08:00:00Z, or seconds since the epoch.',
    )
  return Math.floor(ms / 1000)
}

/** A parser of amounts of dollars. */
export const dollars = (text: string): number => {
  const value = Number(text)
  if (/^\d*\.?\d+$/.test(text) && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It must be a number of US dollars, such as 2.50.')
}

/** The part of an object whose values are not undefined: what a request contains. */
export const given = <T extends object>(fields: T): Partial<T> =>
  // the fields that remain have the values of T
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>

/** The options of commands that concern a request of an entity. */
export interface RequestOptions {
  readonly resource?: string
  readonly user?: string
  readonly session?: string
}

/** Adds `[entity]` and the options that describe a request. */
export const withRequest = (command: Command, ofEntity = 'default: the entity of the key'): Command =>
  command
    .argument('[entity]', ofEntity)
    .option('-r, --resource <model>', 'the model that the request names')
    .option('--user <name>', 'the user that it names')
    .option('--session <name>', 'the session that it names')

/** Reads what belongs to the entity of the key. An administrator has none: the error then requires an entity. */
export const ownOr = async <T>(
  entity: string | undefined,
  command: string,
  read: () => Promise<T>,
): Promise<T> => {
  try {
    return await read()
  } catch (error) {
    const isAdmin = error instanceof CliError && error.message.startsWith('X-Zael-Entity')
    if (entity !== undefined || !isAdmin) throw error
    throw usageError(`name an entity: zael ${command} <entity>; only the key of a caller has one of its own`)
  }
}

/** Prints a list: as a table for people, or a sentence if it is empty. */
export const printList = <Row>(
  { print, style }: Session,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  none: string,
): void => print({ items: rows }, () => (rows.length === 0 ? `${none}\n` : tableText(rows, columns, style)))

/** Prints what a request without a response did. */
export const printSent = ({ print }: Session, done: string): void => print({ done }, () => `${done}\n`)

/** The examples below the help of a command. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
