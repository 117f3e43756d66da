import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams'
import { mockClient } from 'aws-sdk-client-mock'
import { expect, test } from 'vitest'
import { findStream, startStreamPoller } from '../../../bin/serve/stream-poller.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'

const client = () => new DynamoDBStreamsClient({ region: 'us-east-1' })

interface FakeShard {
  readonly parent?: string
  /** Pages of sequence numbers; a closed shard ends after them. */
  readonly pages: string[][]
  readonly closed?: boolean
}

/** A stream of shards. Iterators are `<shard>:<page>`. */
const fakeStream = (shards: Readonly<Record<string, FakeShard>>) => {
  const sdk = client()
  const mock = mockClient(sdk)
  mock.on(DescribeStreamCommand).callsFake(async () => ({
    StreamDescription: {
      Shards: Object.entries(shards).map(([id, { parent }]) => ({ ShardId: id, ParentShardId: parent })),
    },
  }))
  mock.on(GetShardIteratorCommand).callsFake(async ({ ShardId: id, ShardIteratorType: from }) => {
    expect(from).toBe('TRIM_HORIZON')
    return { ShardIterator: `${id}:0` }
  })
  mock.on(GetRecordsCommand).callsFake(async ({ ShardIterator: iterator }: { ShardIterator: string }) => {
    const [id = '', page = '0'] = iterator.split(':')
    const { pages, closed = false } = shards[id] ?? { pages: [] }
    const records = (pages[Number(page)] ?? []).map((sequence) => ({
      dynamodb: { SequenceNumber: sequence },
    }))
    const next = Math.min(Number(page) + 1, pages.length)
    return {
      Records: records,
      ...(closed && next === pages.length ? {} : { NextShardIterator: `${id}:${next}` }),
    }
  })
  return { sdk, mock }
}

const poll = (sdk: DynamoDBStreamsClient) => {
  const delivered: string[] = []
  const poller = startStreamPoller({
    client: sdk,
    streamArn: 'arn',
    logger: silentLogger,
    pauseMs: 1,
    deliver: async (records) => {
      delivered.push(...records.map(({ dynamodb }) => dynamodb?.SequenceNumber ?? ''))
    },
  })
  return { delivered, poller }
}

test('every shard is read from its start, a parent to its end before its children', async () => {
  const { sdk } = fakeStream({
    old: { pages: [['1', '2'], ['3']], closed: true },
    left: { parent: 'old', pages: [['4']] },
    orphan: { parent: 'trimmed', pages: [['5']] },
  })
  const { delivered, poller } = poll(sdk)
  await poller.stop()
  expect(delivered).toEqual(['1', '2', '3', '4', '5'])
})

test('a child is not read while its parent is open', async () => {
  const { sdk } = fakeStream({ old: { pages: [['1']] }, left: { parent: 'old', pages: [['2']] } })
  const { delivered, poller } = poll(sdk)
  await poller.stop()
  expect(delivered).toEqual(['1'])
})

test('records written before the stop are read', async () => {
  const pages = [['1']]
  const { sdk } = fakeStream({ only: { pages } })
  const { delivered, poller } = poll(sdk)
  pages.push(['2'])
  await poller.stop()
  expect(delivered).toEqual(['1', '2'])
})

test('an expired iterator is replaced', async () => {
  const { sdk, mock } = fakeStream({ only: { pages: [['1']] } })
  mock
    .on(GetRecordsCommand)
    .rejectsOnce(new ExpiredIteratorException({ message: 'expired', $metadata: {} }))
    .resolves({ Records: [{ dynamodb: { SequenceNumber: '1' } }] })
  const { delivered, poller } = poll(sdk)
  await poller.stop()
  expect(delivered).toEqual(['1'])
  expect(mock.commandCalls(GetShardIteratorCommand)).toHaveLength(2)
})

test('the stream of a table is found, and none if the engine does not support streams', async () => {
  const sdk = client()
  const mock = mockClient(sdk)
  mock.on(ListStreamsCommand).resolvesOnce({ Streams: [{ StreamArn: 'arn:x' }] })
  expect(await findStream(sdk, 'ZAEL-demo')).toBe('arn:x')
  mock.on(ListStreamsCommand).rejects({ name: 'UnknownOperationException' })
  expect(await findStream(sdk, 'ZAEL-demo')).toBeUndefined()
  mock.on(ListStreamsCommand).resolves({ Streams: [] })
  expect(await findStream(sdk, 'ZAEL-demo')).toBeUndefined()
})

test('an engine that rejects the request is not treated as one without streams', async () => {
  const sdk = client()
  mockClient(sdk).on(ListStreamsCommand).rejects({ name: 'AccessDeniedException' })
  await expect(findStream(sdk, 'ZAEL-demo')).rejects.toMatchObject({ name: 'AccessDeniedException' })
})
