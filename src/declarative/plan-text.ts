import { isDeepStrictEqual } from 'node:util'
import type { JsonObject, JsonValue } from '../core/model/json.ts'
import type { Account, Failure } from './apply-plan.ts'
import { fieldsOf, type Item, isList, scopeOf, splitId } from './items.ts'
import type { Change, Plan } from './plan.ts'

/*
 * Plans and accounts for people. Lines begin with `+` (create), `~` (change) or `-` (delete); details are indented.
 */

/** An item in words: `limits of acme on gpt-4`. */
export const nameOf = ({ kind, id }: Pick<Item, 'kind' | 'id'>): string => {
  if (kind !== 'limits' && kind !== 'defaults') return `${kind} ${id}`
  const [owner, resource] = splitId(id)
  if (kind === 'limits') return `limits of ${owner} on ${resource}`
  return owner === '' ? `defaults on ${resource}` : `defaults of role ${owner} on ${resource}`
}

const SIGNS = { create: '+', change: '~', delete: '-' } as const

/** A change, and its fields. */
export const changeLines = (change: Change): readonly string[] => [
  `${SIGNS[change.does]} ${nameOf(change)}${change.does === 'delete' && change.kind === 'entity' ? ', its keys and its limits' : ''}`,
  ...fieldLines(namedFields(change.before), namedFields(change.after)).map((line) => `    ${line}`),
]

/** The fields of an item; of a list of limits, each limit by its name. */
const namedFields = (value: JsonValue): JsonObject =>
  isList(value)
    ? Object.fromEntries(
        value.map((each) => {
          const { name, ...limit } = fieldsOf(each)
          return [String(name), limit] as const
        }),
      )
    : fieldsOf(value)

const fieldLines = (before: JsonObject, after: JsonObject): readonly string[] => {
  const isWhole = [before, after].some((fields) => Object.keys(fields).length === 0)
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names]
    .filter((name) => !isDeepStrictEqual(before[name], after[name]))
    .map((name) => fieldLine(name, before[name], after[name], isWhole))
}

/** `isWhole`: all fields are of an item that is created or deleted. */
const fieldLine = (
  name: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  isWhole: boolean,
): string => {
  if (before !== undefined && after !== undefined) return `${name}: ${shown(before)} -> ${shown(after)}`
  const sign = after === undefined ? '- ' : '+ '
  return `${isWhole ? '' : sign}${name}: ${shown(after ?? before)}`
}

/** Texts that YAML reads as texts without quotes. */
const isPlain = (text: string): boolean =>
  /^[\w./:@-]+$/.test(text) && !/^(true|false|null|[\d.+-].*)$/i.test(text)

/** A value in one line, as YAML would show it. Characters that could control a terminal are escaped. */
const shown = (value: JsonValue | undefined): string => {
  if (typeof value === 'string') return isPlain(value) ? value : JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (isList(value)) return `[${value.map(shown).join(', ')}]`
  const fields = Object.entries(value).map(([name, each]) => `${shown(name)}: ${shown(each)}`)
  return `{${fields.join(', ')}}`
}

/** A plan: its changes, what is not in the file, and a summary. */
export const planLines = ({ changes, extra }: Plan): readonly string[] => [
  ...changes.flatMap(changeLines),
  ...(changes.length > 0 ? [''] : []),
  summaryOf(changes),
  ...extraLines(extra),
]

const summaryOf = (changes: readonly Change[]): string => {
  if (changes.length === 0) return 'Nothing to change: zael has what the file declares.'
  const { create, change, delete: gone } = countsOf(changes)
  return `${create} to create, ${change} to change, ${gone} to delete.`
}

export const countsOf = (changes: readonly Change[]): Readonly<Record<Change['does'], number>> => {
  const counts = { create: 0, change: 0, delete: 0 }
  for (const { does } of changes) counts[does] += 1
  return counts
}

/** More would hide the plan. */
const MOST_NAMED = 10

/** What is not in the file, as one line. */
const extraLines = (extra: Plan['extra']): readonly string[] => {
  if (extra.length === 0) return []
  const entities = new Set(extra.flatMap(({ kind, id }) => (kind === 'entity' ? [`limits ${id}`] : [])))
  const named = extra.filter((item) => !entities.has(scopeOf(item))).map(nameOf)
  const rest = named.length > MOST_NAMED ? ` and ${named.length - MOST_NAMED} more` : ''
  return [
    `Not in the file, left as they are without --prune: ${named.slice(0, MOST_NAMED).join(', ')}${rest}.`,
  ]
}

/** What was done of a plan that failed. */
export const accountLines = ({ applied, failed, left }: Account): readonly string[] => [
  ...failed.map(
    ({ change, failure }) => `${OUTCOMES[failure.reason]}: ${nameOf(change)}: ${failure.message}`,
  ),
  ...listed('Applied', applied),
  ...listed('Not applied', left),
  'Run the same command again to continue: what has been applied is not applied again.',
]

const OUTCOMES: Readonly<Record<Failure['reason'], string>> = {
  changed: 'Changed by somebody else since the plan was made',
  rejected: 'Failed',
  unknown: 'Unknown, may have been applied',
}

const listed = (title: string, changes: readonly Change[]): readonly string[] => [
  `${title}: ${changes.length === 0 ? 'nothing' : changes.length}`,
  ...changes.map((change) => `  ${SIGNS[change.does]} ${nameOf(change)}`),
]
