import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { expect, test } from 'vitest'
import { admin, chat, dynamodb, newCaller, output } from './deployment.ts'

const lambda = new LambdaClient({})
const streams = new DynamoDBStreamsClient({})

const usageOf = async (entityId: string) => {
  const { body } = await admin('GET', `/api/usage/${entityId}?granularity=hour`)
  const points: Record<string, number>[] = body.points
  const total = (name: string) => points.reduce((sum, point) => sum + (point[name] ?? 0), 0)
  return { requests: total('requests'), tokens: total('tokens'), output: total('output_tokens') }
}

const chats = async (key: string, count: number) => {
  let tokens = 0
  for (let i = 0; i < count; i++) tokens += (await chat(key, { max_tokens: 10 })).body.usage.total_tokens
  return { requests: count, tokens, output: 10 * count }
}

const shardRecords = async (streamArn: string, shardId: string): Promise<readonly StreamRecord[]> => {
  const from = { StreamArn: streamArn, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' } as const
  let { ShardIterator: iterator } = await streams.send(new GetShardIteratorCommand(from))
  const records: StreamRecord[] = []
  while (iterator !== undefined) {
    const page = await streams.send(new GetRecordsCommand({ ShardIterator: iterator }))
    if (page.Records === undefined || page.Records.length === 0) break
    records.push(...page.Records)
    iterator = page.NextShardIterator
  }
  return records
}

/** The records of one entity's buckets, read from the table's stream, in the format that Lambda receives. */
const bucketRecords = async (entityId: string) => {
  const { Table: table } = await dynamodb.send(new DescribeTableCommand({ TableName: output('TableName') }))
  const StreamArn = table?.LatestStreamArn
  if (StreamArn === undefined) throw new Error('The table has no stream')
  const { StreamDescription: stream } = await streams.send(new DescribeStreamCommand({ StreamArn }))
  const records: StreamRecord[] = []
  for (const { ShardId } of stream?.Shards ?? [])
    records.push(...(await shardRecords(StreamArn, ShardId ?? '')))
  return records
    .filter(
      ({ dynamodb: change }) =>
        change?.Keys?.PK?.S === `ENTITY#${entityId}` && change.Keys.SK?.S?.startsWith('BUCKET#'),
    )
    .map((record) => ({
      ...record,
      eventSource: 'aws:dynamodb',
      dynamodb: {
        ...record.dynamodb,
        ApproximateCreationDateTime: Number(record.dynamodb?.ApproximateCreationDateTime) / 1000,
      },
    }))
}

const deliver = async (records: readonly object[]) => {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({
      FunctionName: output('AggregatorFunctionName'),
      Payload: JSON.stringify({ Records: records }),
    }),
  )
  expect(FunctionError).toBeUndefined()
  return JSON.parse(new TextDecoder().decode(Payload))
}

const soon = { timeout: 30_000, interval: 250 }

test('use is aggregated from the stream', async () => {
  const { entityId, key } = await newCaller({ rpm: 10, tpm: 10_000 })
  const used = await chats(key, 3)
  await expect.poll(() => usageOf(entityId), soon).toEqual(used)
})

test('a batch that is delivered again, completely or partly, counts once', async () => {
  const { entityId, key } = await newCaller({ rpm: 10, tpm: 10_000 })
  const used = await chats(key, 4)
  await expect.poll(() => usageOf(entityId), soon).toEqual(used)

  const records = await bucketRecords(entityId)
  expect(records.length).toBeGreaterThanOrEqual(4)
  const parts = [records, records, records.slice(0, 2), records.slice(-2), records.slice(1, 3)]
  for (const part of parts) expect(await deliver(part)).toEqual({ batchItemFailures: [] })
  expect(await usageOf(entityId)).toEqual(used)
})

test('a batch from a direct invocation counts once', async () => {
  const { entityId } = await newCaller({ rpm: 10 })
  const born = String(BigInt(Date.now()) * 1_000_000n)
  const image = (rev: number, requests: number) => ({
    born: { N: born },
    rev: { N: String(rev) },
    used_requests: { N: String(requests) },
  })
  const record = (sequence: number, change: object) => ({
    eventID: String(sequence),
    eventName: 'MODIFY',
    dynamodb: {
      Keys: { PK: { S: `ENTITY#${entityId}` }, SK: { S: 'BUCKET#gpt-4' } },
      SequenceNumber: String(sequence),
      ApproximateCreationDateTime: Date.now() / 1000,
      ...change,
    },
  })
  const batch = [
    record(1, { NewImage: image(1, 2) }),
    record(2, { OldImage: image(1, 2), NewImage: image(2, 5) }),
  ]
  await deliver(batch)
  expect(await usageOf(entityId)).toMatchObject({ requests: 5 })
  await deliver(batch)
  await deliver(batch.slice(0, 1))
  expect(await usageOf(entityId)).toMatchObject({ requests: 5 })
})

test('only a record that cannot be read is reported', async () => {
  const broken = {
    eventName: 'MODIFY',
    dynamodb: {
      Keys: { PK: { S: 'ENTITY#e2e-broken' }, SK: { S: 'BUCKET#gpt-4' } },
      NewImage: { used_requests: { N: '1' } },
      SequenceNumber: '77',
      ApproximateCreationDateTime: Date.now() / 1000,
    },
  }
  expect(await deliver([broken])).toEqual({ batchItemFailures: [{ itemIdentifier: '77' }] })
})
