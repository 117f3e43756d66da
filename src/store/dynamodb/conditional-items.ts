import {
  type AttributeValue,
  ConditionalCheckFailedException,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
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
      const command = new UpdateItemCommand({
        TableName: tableName,
        Key: toItem({ ...key }),
        ...updateExpression(write),
        ReturnValues: 'ALL_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      })
      try {
        const { Attributes = {} } = await client.run((sdk) => sdk.send(command))
        return { applied: true, item: toBucketItem(Attributes) }
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
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

type Expressions = Pick<
  UpdateItemCommandInput,
  'ConditionExpression' | 'UpdateExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>

/**
 * The expressions of a conditional write. Every name and value is a placeholder, because `ttl` and others are reserved words;
 * repeated ones share a placeholder, because expressions are limited to 4 KB.
 */
export const updateExpression = (write: ConditionalWrite): Expressions => {
  const placeholders = createPlaceholders()
  const conditions = write.conditions.map((condition) => conditionText(condition, placeholders))
  const update = updateText(write.actions, placeholders)
  const { names, values } = placeholders
  return {
    ...(conditions.length > 0 && { ConditionExpression: conditions.join(' AND ') }),
    ...(update !== '' && { UpdateExpression: update }),
    ...(names.size > 0 && { ExpressionAttributeNames: inverted(names) }),
    ...(values.size > 0 && { ExpressionAttributeValues: Object.fromEntries(values.values()) }),
  }
}

interface Placeholders {
  readonly names: Map<string, string>
  readonly values: Map<string, readonly [placeholder: string, value: AttributeValue]>
  path(path: Path): string
  value(value: FieldValue): string
}

const createPlaceholders = (): Placeholders => {
  const names = new Map<string, string>()
  const values = new Map<string, readonly [string, AttributeValue]>()
  const name = (attribute: string): string => {
    const placeholder = names.get(attribute) ?? `#${names.size}`
    names.set(attribute, placeholder)
    return placeholder
  }
  return {
    names,
    values,
    path: (path) => (typeof path === 'string' ? name(path) : `${name(path[0])}.${name(path[1])}`),
    value: (value) => {
      const identity = typeof value === 'object' ? `M${values.size}` : `${typeof value} ${value}`
      const entry = values.get(identity) ?? [`:${values.size}`, fieldAttribute(value)]
      values.set(identity, entry)
      return entry[0]
    },
  }
}

const inverted = (names: ReadonlyMap<string, string>): Record<string, string> =>
  Object.fromEntries(Array.from(names, ([attribute, placeholder]) => [placeholder, attribute]))

const OPERATORS = { equal: '=', below: '<', atMost: '<=', atLeast: '>=' } as const

const conditionText = (condition: Condition, to: Placeholders): string => {
  switch (condition.is) {
    case 'missing':
      return `attribute_not_exists(${to.path(condition.path)})`
    case 'between':
      return `${to.path(condition.path)} BETWEEN ${to.value(condition.low)} AND ${to.value(condition.high)}`
    case 'anyOf':
      return `(${condition.conditions.map((each) => conditionText(each, to)).join(' OR ')})`
    default:
      return `${to.path(condition.path)} ${OPERATORS[condition.is]} ${to.value(condition.value)}`
  }
}

const updateText = (actions: readonly Action[], to: Placeholders): string => {
  const clauses = { SET: [] as string[], REMOVE: [] as string[], ADD: [] as string[] }
  const sources = actions.flatMap((action) =>
    action.does === 'setIfMissing' && isReference(action.value) ? action.value.from : [],
  )
  for (const action of actions) {
    const [clause, text] = actionText(action, to, sources)
    clauses[clause].push(text)
  }
  return Object.entries(clauses)
    .filter(([, texts]) => texts.length > 0)
    .map(([clause, texts]) => `${clause} ${texts.join(', ')}`)
    .join(' ')
}

type Clause = readonly [clause: 'SET' | 'REMOVE' | 'ADD', text: string]

const actionText = (action: Action, to: Placeholders, sources: readonly string[]): Clause => {
  const path = to.path(action.path)
  switch (action.does) {
    case 'remove':
      return ['REMOVE', path]
    case 'set':
      return ['SET', `${path} = ${to.value(action.value)}`]
    case 'setIfMissing':
      return ['SET', `${path} = if_not_exists(${path}, ${operand(action.value, to)})`]
    case 'add':
      if (typeof action.path === 'string' && !sources.includes(action.path))
        return ['ADD', `${path} ${to.value(action.value)}`]
      // ADD accepts only top-level attributes, and in dynalite other clauses read the sum
      return ['SET', `${path} = if_not_exists(${path}, ${to.value(0n)}) + ${to.value(action.value)}`]
  }
}

const operand = (value: FieldValue | { readonly from: string }, to: Placeholders): string =>
  isReference(value) ? to.path(value.from) : to.value(value)

const isReference = (value: FieldValue | { readonly from: string }): value is { readonly from: string } =>
  typeof value === 'object' && typeof value.from === 'string'
