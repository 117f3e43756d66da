import { InvalidArgumentError, Option } from 'commander'
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

/** The part of an object whose values are not undefined: what a request contains. */
export const given = <T extends object>(fields: T): Partial<T> =>
  // the fields that remain have the values of T
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>

/** Prints a list: as a table for people, or a sentence if it is empty. */
export const printList = <Row>(
  { print, style }: Session,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  none: string,
): void => print({ items: rows }, () => (rows.length === 0 ? `${none}\n` : tableText(rows, columns, style)))

/** The examples below the help of a command. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
