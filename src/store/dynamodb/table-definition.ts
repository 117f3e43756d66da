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

/** The attribute that says when an item may go: seconds since the epoch. */
export const TTL_ATTRIBUTE = 'ttl'

const ACTIVE_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 100

/**
 * The table, as CreateTable takes it. GSI1 is sparse: only items with its keys are copied, which no bucket has, for an
 * index that copies buckets doubles every write. `stream: false` is for an engine that has no streams.
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
 * Makes the table where it is missing and waits until it takes calls; any number of processes may do so at once. Says
 * whether this call made it. Making a table takes a while: give it a client with a deadline of some seconds.
 * Throws `StoreUnavailable`, and `ZaelError('conflict')` where a table of that name has other keys.
 */
export const ensureTable = async (
  client: DynamoClient,
  tableName: string,
  options: { readonly stream: boolean } = { stream: true },
): Promise<'created' | 'exists'> => {
  const made = (await statusOf(client, tableName)) === 'MISSING' && (await create(client, tableName, options))
  const lastLook = performance.now() + ACTIVE_WITHIN_MS
  while ((await statusOf(client, tableName)) !== 'ACTIVE') {
    if (performance.now() > lastLook) throw new Error(`Table ${tableName} did not become active`)
    await wait(LOOK_EVERY_MS)
  }
  await ensureTtl(client, tableName)
  return made ? 'created' : 'exists'
}

/** Throws `ZaelError('conflict')` where a table of that name has other keys. */
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

/** False: another process was faster. */
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

/** An engine without TTL refuses, and so does one where another process was faster: both are well. */
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
