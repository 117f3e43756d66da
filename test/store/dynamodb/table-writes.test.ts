import {
  DeleteItemCommand,
  DynamoDBClient,
  DynamoDBServiceException,
  PutItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, test } from 'vitest'
import { toItem } from '../../../src/store/dynamodb/attributes.ts'
import { createDynamoClient } from '../../../src/store/dynamodb/client.ts'
import {
  absent,
  atVersion,
  createTableWrites,
  present,
  type TableWrite,
} from '../../../src/store/dynamodb/table-writes.ts'
import { createManualClock } from './manual-time.ts'

const sdk = mockClient(DynamoDBClient)

const client = createDynamoClient({ clock: createManualClock(0n), region: 'us-east-1' })

const canceled = (...codes: readonly string[]): TransactionCanceledException =>
  new TransactionCanceledException({
    message: 'canceled',
    $metadata: { httpStatusCode: 400 },
    CancellationReasons: codes.map((Code) => ({ Code })),
  })

const unknownOperation = (): Error =>
  new DynamoDBServiceException({
    name: 'UnknownOperationException',
    $fault: 'client',
    $metadata: { httpStatusCode: 400 },
  })

const key = { PK: 'ENTITY#a', SK: 'META' }

const change: readonly TableWrite<'exists' | 'gone' | 'stale'>[] = [
  { does: 'check', key: { PK: 'ENTITY#parent', SK: 'META' }, condition: present, otherwise: 'gone' },
  { does: 'put', item: toItem({ ...key, n: 1n }), condition: absent, otherwise: 'exists' },
  { does: 'delete', key: { PK: 'ENTITY#b', SK: 'META' }, condition: atVersion(7n), otherwise: 'stale' },
  { does: 'put', item: toItem({ PK: 'AUDIT#x', SK: 'y' }) },
]

beforeEach(() => sdk.reset())

describe('a change of several items', () => {
  test('is one transaction', async () => {
    sdk.on(TransactWriteItemsCommand).resolves({})
    expect(await createTableWrites(client, 'T').apply(change)).toBeUndefined()
    expect(sdk.commandCalls(TransactWriteItemsCommand)).toHaveLength(1)
    expect(sdk.commandCalls(TransactWriteItemsCommand)[0]?.args[0].input.TransactItems).toEqual([
      {
        ConditionCheck: {
          TableName: 'T',
          Key: toItem({ PK: 'ENTITY#parent', SK: 'META' }),
          ConditionExpression: 'attribute_exists(#pk)',
          ExpressionAttributeNames: { '#pk': 'PK' },
        },
      },
      {
        Put: {
          TableName: 'T',
          Item: toItem({ ...key, n: 1n }),
          ConditionExpression: 'attribute_not_exists(#pk)',
          ExpressionAttributeNames: { '#pk': 'PK' },
        },
      },
      {
        Delete: {
          TableName: 'T',
          Key: toItem({ PK: 'ENTITY#b', SK: 'META' }),
          ConditionExpression: '#version = :version',
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: { ':version': { N: '7' } },
        },
      },
      { Put: { TableName: 'T', Item: toItem({ PK: 'AUDIT#x', SK: 'y' }) } },
    ])
  })

  test.each([
    [['ConditionalCheckFailed', 'None', 'None', 'None'], 'gone'],
    [['None', 'ConditionalCheckFailed', 'ConditionalCheckFailed', 'None'], 'exists'],
    [['TransactionConflict', 'None', 'ConditionalCheckFailed', 'None'], 'stale'],
  ])('returns the result of the first condition that fails: %j', async (codes, result) => {
    sdk.on(TransactWriteItemsCommand).rejects(canceled(...codes))
    expect(await createTableWrites(client, 'T').apply(change)).toBe(result)
  })

  test('is retried after a conflict with another one', async () => {
    const met = canceled('None', 'TransactionConflict', 'None', 'None')
    sdk.on(TransactWriteItemsCommand).rejectsOnce(met).rejectsOnce(met).resolves({})
    expect(await createTableWrites(client, 'T').apply(change)).toBeUndefined()
    expect(sdk.commandCalls(TransactWriteItemsCommand)).toHaveLength(3)
  })

  test('fails as not applied after repeated conflicts', async () => {
    sdk.on(TransactWriteItemsCommand).rejects(canceled('TransactionConflict'))
    await expect(createTableWrites(client, 'T').apply(change)).rejects.toMatchObject({
      name: 'StoreUnavailable',
      mayHaveApplied: false,
    })
  })

  test('is not retried if its response was lost', async () => {
    sdk.on(TransactWriteItemsCommand).rejects(Object.assign(new Error('lost'), { code: 'ECONNRESET' }))
    await expect(createTableWrites(client, 'T').apply(change)).rejects.toMatchObject({ mayHaveApplied: true })
    expect(sdk.commandCalls(TransactWriteItemsCommand)).toHaveLength(1)
  })

  test('tries a transaction once, and then writes one by one', async () => {
    sdk.on(TransactWriteItemsCommand).rejects(unknownOperation())
    const writes = createTableWrites(client, 'T')
    for (let i = 0; i < 2; i += 1) expect(await writes.apply(change)).toBeUndefined()
    expect(sdk.commandCalls(TransactWriteItemsCommand)).toHaveLength(1)
    expect(sdk.commandCalls(PutItemCommand)).toHaveLength(4)
    expect(sdk.commandCalls(DeleteItemCommand)).toHaveLength(2)
  })
})
