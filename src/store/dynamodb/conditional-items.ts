import type { ConditionalCheckFailedException, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb'
import type { WriteOutcome } from '../../core/bucket/bucket-store.ts'
import type {
  Action,
  BucketItem,
  Condition,
  ConditionalWrite,
  FieldValue,
  Path,
} from '../../core/bucket/write.ts'
import { fieldAttribute, type StoredItem, toBucketItem, toItem } from './attributes.ts'
import type { DynamoClient } from './client.ts'
import { isFailedCondition } from './store-error.ts'
import type { TableKey } from './table-keys.ts'
import { createTableReads } from './table-reads.ts'

/** Items that change by conditional writes: buckets, hours of usage. */
export interface ConditionalItems {
  /** One UpdateItem; after a failed condition also one GetItem, on an engine that does not return the stored item. */
  write(key: TableKey, write: ConditionalWrite): Promise<WriteOutcome>
  read(key: TableKey): Promise<BucketItem | undefined>
}

/** Both methods throw `StoreUnavailable`. */
export const createConditionalItems = (client: DynamoClient, tableName: string): ConditionalItems => {
  const reads = createTableReads(client, tableName)
  const failedItem = createFailedItemReader(reads.get)
  const toBucket = (item: StoredItem | undefined) => (item === undefined ? undefined : toBucketItem(item))

  return {
    read: async (key) => toBucket(await reads.get(key)),
    async write(key, write) {
      const input: UpdateItemCommandInput = {
        TableName: tableName,
        Key: toItem({ ...key }),
        ...updateExpression(write),
        ReturnValues: 'ALL_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }
      try {
        const { Attributes = {} } = await client.run((sdk, { UpdateItemCommand }) =>
          sdk.send(new UpdateItemCommand(input)),
        )
        return { applied: true, item: toBucketItem(Attributes) }
      } catch (error) {
        if (!isFailedCondition(error)) throw error
        return { applied: false, item: toBucket(await failedItem(error, key)) }
      }
    },
  }
}

/** Returns the item that failed a condition: from the error, or by a read on an engine that does not return it (dynalite). */
export type FailedItemReader = (
  error: ConditionalCheckFailedException,
  key: TableKey,
) => Promise<StoredItem | undefined>

export const createFailedItemReader = (
  read: (key: TableKey) => Promise<StoredItem | undefined>,
): FailedItemReader => {
  /** Whether this engine has returned an item before. */
  let returnsItems = false
  return async ({ Item }, key) => {
    if (Item === undefined || Object.keys(Item).length === 0) return returnsItems ? undefined : read(key)
    returnsItems = true
    return Item
  }
}

interface Expressions {
  ConditionExpression?: string
  UpdateExpression?: string
  ExpressionAttributeNames?: Record<string, string>
  ExpressionAttributeValues?: StoredItem
}

/**
 * The expressions of a conditional write. Every name and value is a placeholder, because `ttl` and others are reserved words;
 * repeated ones share a placeholder, because expressions are limited to 4 KB. Texts are concatenated, and values are compared
 * before they are converted: on a write of the usual size this takes a fifth of the time of lists and maps by text.
 */
export const updateExpression = (write: ConditionalWrite): Expressions => {
  const placeholders = createPlaceholders()
  const condition = conditionsText(write.conditions, ' AND ', placeholders)
  const update = updateText(write.actions, placeholders)
  const { names, values } = placeholders
  const expressions: Expressions = {}
  if (condition !== '') expressions.ConditionExpression = condition
  if (update !== '') expressions.UpdateExpression = update
  if (names.length > 0) expressions.ExpressionAttributeNames = numbered('#', names, (name) => name)
  if (values.length > 0) expressions.ExpressionAttributeValues = numbered(':', values, fieldAttribute)
  return expressions
}

/** Names and values in the order of their placeholders: `#0`, `#1`, …, and `:0`, `:1`, …. */
interface Placeholders {
  readonly names: readonly string[]
  readonly values: readonly FieldValue[]
  path(path: Path): string
  value(value: FieldValue): string
}

const createPlaceholders = (): Placeholders => {
  const names: string[] = []
  const values: FieldValue[] = []
  const name = (attribute: string): string => `#${placeIn(names, attribute)}`
  return {
    names,
    values,
    path: (path) => (typeof path === 'string' ? name(path) : `${name(path[0])}.${name(path[1])}`),
    value: (value) => `:${placeIn(values, value)}`,
  }
}

/** Adds a value that is not in the list. A number and its text differ, and so do two maps. */
const placeIn = <T>(list: T[], value: T): number => {
  const place = list.indexOf(value)
  return place === -1 ? list.push(value) - 1 : place
}

const numbered = <T, V>(sign: '#' | ':', list: readonly T[], convert: (each: T) => V): Record<string, V> => {
  const byPlaceholder: Record<string, V> = {}
  list.forEach((each, place) => {
    byPlaceholder[sign + place] = convert(each)
  })
  return byPlaceholder
}

const OPERATORS = { equal: '=', below: '<', atMost: '<=', atLeast: '>=' } as const

const conditionText = (condition: Condition, to: Placeholders): string => {
  switch (condition.is) {
    case 'missing':
      return `attribute_not_exists(${to.path(condition.path)})`
    case 'between':
      return `${to.path(condition.path)} BETWEEN ${to.value(condition.low)} AND ${to.value(condition.high)}`
    case 'sizeAtMost':
      return `size(${to.path(condition.path)}) <= ${to.value(condition.value)}`
    case 'anyOf':
      return `(${conditionsText(condition.conditions, ' OR ', to)})`
    default:
      return `${to.path(condition.path)} ${OPERATORS[condition.is]} ${to.value(condition.value)}`
  }
}

const conditionsText = (
  conditions: readonly Condition[],
  operator: ' AND ' | ' OR ',
  to: Placeholders,
): string => {
  let text = ''
  for (const condition of conditions) text += (text === '' ? '' : operator) + conditionText(condition, to)
  return text
}

const updateText = (actions: readonly Action[], to: Placeholders): string => {
  const clauses = { SET: '', REMOVE: '', ADD: '' }
  for (const action of actions) {
    const [clause, text] = actionText(action, to, actions)
    clauses[clause] += (clauses[clause] === '' ? `${clause} ` : ', ') + text
  }
  return [clauses.SET, clauses.REMOVE, clauses.ADD].filter((text) => text !== '').join(' ')
}

type Clause = readonly [clause: 'SET' | 'REMOVE' | 'ADD', text: string]

const actionText = (action: Action, to: Placeholders, all: readonly Action[]): Clause => {
  const path = to.path(action.path)
  switch (action.does) {
    case 'remove':
      return ['REMOVE', path]
    case 'set':
      return ['SET', `${path} = ${to.value(action.value)}`]
    case 'setIfMissing':
      return ['SET', `${path} = if_not_exists(${path}, ${operand(action.value, to)})`]
    case 'add':
      if (typeof action.path === 'string' && !isRead(action.path, all))
        return ['ADD', `${path} ${to.value(action.value)}`]
      // ADD accepts only top-level attributes, and in dynalite other clauses read the sum
      return ['SET', `${path} = if_not_exists(${path}, ${to.value(0n)}) + ${to.value(action.value)}`]
  }
}

/** Whether an action copies the attribute. */
const isRead = (attribute: string, actions: readonly Action[]): boolean =>
  actions.some(
    (action) =>
      action.does === 'setIfMissing' && isReference(action.value) && action.value.from === attribute,
  )

const operand = (value: FieldValue | { readonly from: string }, to: Placeholders): string =>
  isReference(value) ? to.path(value.from) : to.value(value)

const isReference = (value: FieldValue | { readonly from: string }): value is { readonly from: string } =>
  typeof value === 'object' && typeof value.from === 'string'
