import { setTimeout as pause } from 'node:timers/promises'
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  type Shard,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams'
import { createOnceAMinute } from '../../src/core/ports/once-a-minute.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { systemClock } from '../../src/platform/runtime.ts'
import type { Deliver } from './delivery.ts'

export interface StreamPollerOptions {
  readonly client: DynamoDBStreamsClient
  readonly streamArn: string
  readonly deliver: Deliver
  readonly logger: Logger
  /** Pause between two polls, in ms. */
  readonly pauseMs?: number
}

export interface StreamPoller {
  /** Ends after a last poll, which includes the most recent writes. */
  stop(): Promise<void>
}

/** Errors of engines without streams. */
const NO_STREAMS: ReadonlySet<string> = new Set(['UnknownOperationException', 'ResourceNotFoundException'])

/** The ARN of the table's stream; undefined if the table, or this DynamoDB, has none. Throws other errors of the SDK. */
export const findStream = async (
  client: DynamoDBStreamsClient,
  tableName: string,
): Promise<string | undefined> => {
  try {
    const { Streams: streams = [] } = await client.send(new ListStreamsCommand({ TableName: tableName }))
    return streams.at(-1)?.StreamArn
  } catch (error) {
    if (error instanceof Error && NO_STREAMS.has(error.name)) return undefined
    throw error
  }
}

/** The position in a shard: the next iterator; null: its end was reached. */
type Positions = Map<string, string | null>

const shards = async (client: DynamoDBStreamsClient, streamArn: string): Promise<readonly Shard[]> => {
  const found: Shard[] = []
  let after: string | undefined
  do {
    const page = await client.send(
      new DescribeStreamCommand({
        StreamArn: streamArn,
        ...(after === undefined ? {} : { ExclusiveStartShardId: after }),
      }),
    )
    found.push(...(page.StreamDescription?.Shards ?? []))
    after = page.StreamDescription?.LastEvaluatedShardId
  } while (after !== undefined)
  return found
}

const createShardReader = ({ client, streamArn, deliver }: StreamPollerOptions) => {
  const firstIterator = async (shardId: string): Promise<string | null> => {
    const response = await client.send(
      new GetShardIteratorCommand({
        StreamArn: streamArn,
        ShardId: shardId,
        ShardIteratorType: 'TRIM_HORIZON',
      }),
    )
    return response.ShardIterator ?? null
  }
  /** Reads until there are no new records; the position only advances after a delivery. */
  return async (shardId: string, positions: Positions): Promise<void> => {
    const position = positions.get(shardId)
    let iterator = position === undefined ? await firstIterator(shardId) : position
    while (iterator !== null) {
      const response = await client.send(new GetRecordsCommand({ ShardIterator: iterator }))
      const records = response.Records ?? []
      await deliver(records)
      iterator = response.NextShardIterator ?? null
      positions.set(shardId, iterator)
      if (records.length === 0) return
    }
  }
}

/**
 * Reads a table's stream from TRIM_HORIZON on, a parent shard before its children, as an event source mapping does.
 * Several pollers and restarts are safe: the aggregator is exact under replay.
 */
export const startStreamPoller = (options: StreamPollerOptions): StreamPoller => {
  const { client, streamArn, logger, pauseMs = 1000 } = options
  const read = createShardReader(options)
  const positions: Positions = new Map()
  const stopping = new AbortController()
  const failed = createOnceAMinute(systemClock)
  const look = async (): Promise<void> => {
    const listed = await shards(client, streamArn)
    const ids = new Set(listed.map((shard) => shard.ShardId))
    for (const { ShardId: shardId = '', ParentShardId: parentId } of listed) {
      const parentIsRead = parentId === undefined || !ids.has(parentId) || positions.get(parentId) === null
      if (parentIsRead) await read(shardId, positions)
    }
  }
  const tryToLook = (): Promise<void> =>
    look().catch((error: unknown) => {
      if (error instanceof ExpiredIteratorException || error instanceof TrimmedDataAccessException)
        positions.clear()
      failed((failures) => logger.warn('stream not read', { streamArn, error, failures }))
    })
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await tryToLook()
      await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => {
        // only `stop` rejects it
      })
    }
    await tryToLook()
  }
  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}
