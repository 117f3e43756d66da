import { setTimeout as wait } from 'node:timers/promises'
import type {
  BatchGetItemCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
} from '@aws-sdk/client-dynamodb'
import { StoreUnavailable } from '../../core/model/errors.ts'
import { type StoredItem, toItem } from './attributes.ts'
import type { DynamoClient } from './client.ts'
import { INDEX, type TableKey } from './table-keys.ts'

/** The most keys of a BatchGetItem. */
const BATCH_SIZE = 100

/** Items of a partition per read: the conversion of a page of 1 MiB would block the event loop for too long. */
const PARTITION_PAGE = 500

/** Waits before the unprocessed keys of a batch are read again, ms. */
const BATCH_WAITS_MS = [0, 10, 30, 100]

/** Which items of a partition: all, those of one kind, or those between two sort keys (both included). */
export type SortRange = 'all' | { readonly prefix: string } | { readonly from: string; readonly to: string }

export interface TablePage {
  readonly items: readonly StoredItem[]
  /** The start of the next page; undefined if there is none. */
  readonly next: StoredItem | undefined
}

export interface PageOptions {
  readonly limit: number
  readonly after?: StoredItem
  readonly newestFirst?: boolean
}

/** Reads of one table, strongly consistent except those of the index. All throw `StoreUnavailable`. */
export interface TableReads {
  get(key: TableKey): Promise<StoredItem | undefined>
  /** In the order of `keys`; undefined for a missing item. Keys may repeat. */
  getAll(keys: readonly TableKey[]): Promise<readonly (StoredItem | undefined)[]>
  /** All items of a partition in `range`, by sort key. */
  partition(partitionKey: string, range: SortRange): Promise<readonly StoredItem[]>
  /** One page of a partition. */
  page(partitionKey: string, range: SortRange, options: PageOptions): Promise<TablePage>
  /** One page of a partition of an index. */
  indexPage(
    index: { readonly name: string; readonly hash: string; readonly range: string },
    partitionKey: string,
    range: SortRange,
    options: PageOptions,
  ): Promise<TablePage>
}

export const createTableReads = (client: DynamoClient, tableName: string): TableReads => {
  const query = createQuery(client, tableName)
  const batch = createBatchGet(client, tableName)

  return {
    async get(key) {
      const input = { TableName: tableName, Key: toItem({ ...key }), ConsistentRead: true }
      const { Item } = await client.run((sdk, { GetItemCommand }) => sdk.send(new GetItemCommand(input)))
      return Item
    },
    async getAll(keys) {
      const wanted = new Map(keys.map((key) => [identity(key), key]))
      const unique = [...wanted.values()]
      const found = new Map<string, StoredItem>()
      for (let at = 0; at < unique.length; at += BATCH_SIZE)
        for (const item of await batch(unique.slice(at, at + BATCH_SIZE))) found.set(itemIdentity(item), item)
      return keys.map((key) => found.get(identity(key)))
    },
    partition: (partitionKey, range) => wholePartition(query, partitionKey, range),
    page: (partitionKey, range, options) =>
      query({
        ConsistentRead: true,
        ...keyCondition({ hash: 'PK', range: 'SK' }, partitionKey, range),
        ...pageInput(options),
      }),
    indexPage: (index, partitionKey, range, options) =>
      query({ IndexName: index.name, ...keyCondition(index, partitionKey, range), ...pageInput(options) }),
  }
}

/** All items of a partition of the index: for lists that are short. */
export const wholeIndex = async (
  reads: Pick<TableReads, 'indexPage'>,
  partitionKey: string,
): Promise<readonly StoredItem[]> => {
  const items: StoredItem[] = []
  let after: StoredItem | undefined
  do {
    const options = { limit: PARTITION_PAGE, ...(after && { after }) }
    const page = await reads.indexPage(INDEX, partitionKey, 'all', options)
    items.push(...page.items)
    after = page.next
  } while (after !== undefined)
  return items
}

type Query = (input: Omit<QueryCommandInput, 'TableName'>) => Promise<TablePage>

const createQuery =
  (client: DynamoClient, tableName: string): Query =>
  async (input) => {
    const response: QueryCommandOutput = await client.run((sdk, { QueryCommand }) =>
      sdk.send(new QueryCommand({ TableName: tableName, ...input })),
    )
    return { items: response.Items ?? [], next: response.LastEvaluatedKey }
  }

const wholePartition = async (
  query: Query,
  partitionKey: string,
  range: SortRange,
): Promise<readonly StoredItem[]> => {
  const items: StoredItem[] = []
  let after: StoredItem | undefined
  do {
    const page = await query({
      ConsistentRead: true,
      Limit: PARTITION_PAGE,
      ...keyCondition({ hash: 'PK', range: 'SK' }, partitionKey, range),
      ...startingAfter(after),
    })
    items.push(...page.items)
    after = page.next
  } while (after !== undefined)
  return items
}

const createBatchGet =
  (client: DynamoClient, tableName: string) =>
  async (keys: readonly TableKey[]): Promise<readonly StoredItem[]> => {
    const items: StoredItem[] = []
    let left: StoredItem[] = keys.map((key) => toItem({ ...key }))
    for (const waitMs of BATCH_WAITS_MS) {
      if (waitMs > 0) await wait(waitMs)
      const input = { RequestItems: { [tableName]: { Keys: left, ConsistentRead: true } } }
      const response: BatchGetItemCommandOutput = await client.run((sdk, { BatchGetItemCommand }) =>
        sdk.send(new BatchGetItemCommand(input)),
      )
      items.push(...(response.Responses?.[tableName] ?? []))
      left = response.UnprocessedKeys?.[tableName]?.Keys ?? []
      if (left.length === 0) return items
    }
    throw new StoreUnavailable('The store left out items of a batch', { mayHaveApplied: false })
  }

const pageInput = ({ limit, after, newestFirst = false }: PageOptions): Partial<QueryCommandInput> => ({
  Limit: limit,
  ScanIndexForward: !newestFirst,
  ...startingAfter(after),
})

const startingAfter = (after: StoredItem | undefined): Partial<QueryCommandInput> =>
  after === undefined ? {} : { ExclusiveStartKey: after }

const keyCondition = (
  { hash, range: rangeName }: { readonly hash: string; readonly range: string },
  partitionKey: string,
  range: SortRange,
): Partial<QueryCommandInput> => {
  const [sortCondition, sortValues] = sortConditionOf(range)
  return {
    KeyConditionExpression: ['#hash = :hash', ...sortCondition].join(' AND '),
    ExpressionAttributeNames: { '#hash': hash, ...(sortCondition.length > 0 && { '#range': rangeName }) },
    ExpressionAttributeValues: toItem({ ':hash': partitionKey, ...sortValues }),
  }
}

const sortConditionOf = (
  range: SortRange,
): readonly [condition: readonly string[], values: Record<string, string>] => {
  if (range === 'all') return [[], {}]
  if ('prefix' in range) return [['begins_with(#range, :prefix)'], { ':prefix': range.prefix }]
  return [['#range BETWEEN :from AND :to'], { ':from': range.from, ':to': range.to }]
}

const identity = (key: TableKey): string => `${key.PK}\n${key.SK}`

const itemIdentity = (item: StoredItem): string => identity({ PK: item.PK?.S ?? '', SK: item.SK?.S ?? '' })
