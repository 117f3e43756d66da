import { setTimeout as wait } from 'node:timers/promises'
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { ZaelError } from '../../core/model/errors.ts'
import type { DynamoClient } from './client.ts'
import { INDEX, INDEX_ATTRIBUTES, KEY_ATTRIBUTES } from './table-keys.ts'

/** The attribute with the expiry of an item: seconds since the epoch. */
export const TTL_ATTRIBUTE = 'ttl'

const ACTIVE_WITHIN_MS = 60_000
const POLL_EVERY_MS = 100

/**
 * The input of CreateTable. GSI1 is sparse: it contains only items with its keys, and buckets have none, because an index with
 * buckets would double every write. `stream: false` is for an engine without streams.
 */
export const tableDefinition = (
  tableName: string,
  options: { readonly stream: boolean },
): CreateTableCommandInput => ({
  TableName: tableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [...KEY_ATTRIBUTES, ...INDEX_ATTRIBUTES].map((name) => ({
    AttributeName: name,
    AttributeType: 'S',
  })),
  KeySchema: keySchema(KEY_ATTRIBUTES),
  GlobalSecondaryIndexes: [
    { IndexName: INDEX.name, KeySchema: keySchema(INDEX_ATTRIBUTES), Projection: { ProjectionType: 'ALL' } },
  ],
  ...(options.stream && {
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  }),
})

const keySchema = ([hash, range]: readonly [string, string]): CreateTableCommandInput['KeySchema'] => [
  { AttributeName: hash, KeyType: 'HASH' },
  { AttributeName: range, KeyType: 'RANGE' },
]

/**
 * Creates the table if it is missing and waits until it is active; any number of processes may do so at once. Returns whether
 * this call created it. Use a client with a deadline of some seconds. Throws `StoreUnavailable`, and `ZaelError('conflict')` if a
 * table of that name has other keys.
 */
export const ensureTable = async (
  client: DynamoClient,
  tableName: string,
  options: { readonly stream: boolean } = { stream: true },
): Promise<'created' | 'exists'> => {
  const isCreated =
    (await statusOf(client, tableName)) === 'MISSING' && (await create(client, tableName, options))
  const pollUntil = performance.now() + ACTIVE_WITHIN_MS
  while ((await statusOf(client, tableName)) !== 'ACTIVE') {
    if (performance.now() > pollUntil) throw new Error(`Table ${tableName} did not become active`)
    await wait(POLL_EVERY_MS)
  }
  await ensureTtl(client, tableName)
  return isCreated ? 'created' : 'exists'
}

/** Throws `ZaelError('conflict')` if a table of that name has other keys. */
const statusOf = async (client: DynamoClient, tableName: string): Promise<string | undefined> => {
  try {
    const { Table } = await client.run((sdk) => sdk.send(new DescribeTableCommand({ TableName: tableName })))
    if (Table !== undefined) checkKeys(tableName, Table)
    return Table?.TableStatus
  } catch (error) {
    if (causeOf(error) instanceof ResourceNotFoundException) return 'MISSING'
    throw error
  }
}

const OWN_KEYS = `${KEY_ATTRIBUTES[0]} (HASH, S), ${KEY_ATTRIBUTES[1]} (RANGE, S)`

const checkKeys = (
  tableName: string,
  { KeySchema = [], AttributeDefinitions = [] }: TableDescription,
): void => {
  const typeOf = (name: string | undefined) =>
    AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType
  const keys = KeySchema.map(
    ({ AttributeName, KeyType }) => `${AttributeName} (${KeyType}, ${typeOf(AttributeName)})`,
  ).join(', ')
  if (keys === OWN_KEYS) return
  throw new ZaelError(
    'conflict',
    `table ${tableName} exists with other keys: ${keys}; zael needs ${OWN_KEYS}. Choose another table name`,
  )
}

/** False: another process has created it. */
const create = async (
  client: DynamoClient,
  tableName: string,
  options: { readonly stream: boolean },
): Promise<boolean> => {
  try {
    await client.run((sdk) => sdk.send(new CreateTableCommand(tableDefinition(tableName, options))))
    return true
  } catch (error) {
    if (causeOf(error) instanceof ResourceInUseException) return false
    throw error
  }
}

/** Ignores the errors of an engine without TTL, and of one where another process has enabled it. */
const ensureTtl = async (client: DynamoClient, tableName: string): Promise<void> => {
  try {
    const { TimeToLiveDescription: ttl } = await client.run((sdk) =>
      sdk.send(new DescribeTimeToLiveCommand({ TableName: tableName })),
    )
    if (ttl?.TimeToLiveStatus === 'ENABLED' || ttl?.TimeToLiveStatus === 'ENABLING') return
    await client.run((sdk) =>
      sdk.send(
        new UpdateTimeToLiveCommand({
          TableName: tableName,
          TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE, Enabled: true },
        }),
      ),
    )
  } catch (error) {
    if (!isNamed(error, 'UnknownOperationException') && !isNamed(error, 'ValidationException')) throw error
  }
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined)
const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name
