import type { EntityBucketOf, StreamImage, StreamRecord } from '../../src/usage/stream-usage.ts'

/** A stand-in for the key format of the table, sufficient to tell the bucket of an entity from other items. */
export const entityBucketOf: EntityBucketOf = (partitionKey, sortKey) => {
  const [owner, entityId] = partitionKey.split('#')
  const [kind, resource] = sortKey.split('#')
  if (owner !== 'ENTITY' || kind !== 'BUCKET' || entityId === undefined || resource === undefined)
    return undefined
  return { entityId, resource }
}

/** 2026-01-01T00:00:00Z, seconds since the epoch: the start of an hour. */
export const HOUR_ZERO = 1_767_225_600

export interface BucketState {
  readonly born: number
  readonly rev: number
  readonly counters: Readonly<Record<string, number>>
}

const image = (keys: StreamImage, { born, rev, counters }: BucketState): StreamImage => ({
  ...keys,
  born: { N: String(born) },
  rev: { N: String(rev) },
  rpm_tat: { N: '1767225600000000000' },
  rpm_limit: { S: 'token_bucket 50 per 60s' },
  ...Object.fromEntries(Object.entries(counters).map(([name, count]) => [name, { N: String(count) }])),
})

export interface BucketWrite {
  readonly entityId?: string
  readonly resource?: string
  readonly old?: BucketState
  /** Absent: the item was deleted. */
  readonly new?: BucketState
  readonly seconds?: number
  readonly sequence?: number
}

/** A stream record of a bucket's write, `seconds` after HOUR_ZERO. */
export const bucketRecord = (write: BucketWrite): StreamRecord => {
  const { entityId = 'key-bob', resource = 'gpt-4', seconds = 0, sequence = 1 } = write
  const keys = { PK: { S: `ENTITY#${entityId}` }, SK: { S: `BUCKET#${resource}` } }
  return {
    dynamodb: {
      Keys: keys,
      OldImage: write.old && image(keys, write.old),
      NewImage: write.new && image(keys, write.new),
      SequenceNumber: String(sequence),
      ApproximateCreationDateTime: HOUR_ZERO + seconds,
    },
  }
}
