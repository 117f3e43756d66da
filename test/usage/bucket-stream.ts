import { fieldsOf } from '../../src/core/bucket/algorithm.ts'
import { applyActions } from '../../src/core/bucket/apply-write.ts'
import { numberIn, prefixed } from '../../src/core/bucket/bucket-item.ts'
import { type BucketId, bucketKey, entityBucket } from '../../src/core/bucket/bucket-store.ts'
import { algorithmOf } from '../../src/core/bucket/registry.ts'
import type { Action, BucketItem, FieldValue } from '../../src/core/bucket/write.ts'
import type { LimitSize } from '../../src/core/model/limit.ts'
import { bucketOf, bucketTableKey } from '../../src/store/dynamodb/table-keys.ts'
import { holds } from '../../src/store/memory/conditional-write.ts'
import type { StreamAttribute, StreamImage, StreamRecord } from '../../src/usage/stream-usage.ts'

export { bucketOf }

export const TEAM = entityBucket('team-a', '_total_')

const attributeOf = (value: FieldValue): StreamAttribute => {
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'bigint') return { N: String(value) }
  return { M: Object.fromEntries(Object.entries(value).map(([key, each]) => [key, { N: String(each) }])) }
}

const imageOf = (keys: StreamImage, item: BucketItem): StreamImage => ({
  ...keys,
  ...Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attributeOf(value)])),
})

/** A bucket whose writes are collected as stream records, with whole ms as the embedded feed has them. */
export const createBucketStream = (limits: Readonly<Record<string, LimitSize>>, id: BucketId = TEAM) => {
  const algorithms = new Map(Object.entries(limits).map(([name, size]) => [name, algorithmOf(size)]))
  const { PK, SK } = bucketTableKey(id)
  const keys = { PK: { S: PK }, SK: { S: SK } }
  const records: StreamRecord[] = []
  let item: BucketItem | undefined

  const write = (actions: readonly Action[], at: bigint): StreamRecord => {
    const before = item
    const begun: BucketItem = before ?? { born: at }
    item = applyActions(begun, [
      { does: 'set', path: 'rev', value: numberIn(before, 'rev', 0n) + 1n },
      ...actions,
    ])
    const record: StreamRecord = {
      dynamodb: {
        Keys: keys,
        NewImage: imageOf(keys, item),
        ...(before && { OldImage: imageOf(keys, before) }),
        SequenceNumber: String(records.length + 1),
        ApproximateCreationDateTime: Number(at / 1_000_000n) / 1000,
      },
    }
    records.push(record)
    return record
  }

  return {
    records,
    key: bucketKey(id),
    /** Charges one limit, or counts a denial if it does not fit. */
    charge(name: string, amount: number, at: bigint): StreamRecord {
      const algorithm = algorithms.get(name)
      if (algorithm === undefined) throw new Error(`there is no limit ${name}`)
      const fields = item && fieldsOf(item, name)
      const snapshot = fields && Object.keys(fields).length > 0 ? fields : undefined
      const charge = algorithm.charge(snapshot, amount, at, algorithm.capacity)
      const fits =
        amount <= algorithm.capacity && charge.conditions.every((each) => holds(each, snapshot ?? {}))
      const text: Action = { does: 'set', path: `${name}_limit`, value: algorithm.text }
      if (fits) return write([text, ...prefixed(name, charge).actions], at)
      return write([text, { does: 'add', path: `denied_${name}`, value: 1n }], at)
    },
    /** Any other write. */
    write,
    /** Deletes the bucket; the next charge begins a generation. */
    forget() {
      item = undefined
    },
    get item() {
      return item
    },
  }
}
