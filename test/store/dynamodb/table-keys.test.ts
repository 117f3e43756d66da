import { expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import {
  bucketTableKey,
  entityBucketOf,
  entityKey,
  usageHourKey,
} from '../../../src/store/dynamodb/table-keys.ts'

const bucketOf = ({ PK, SK }: { PK: string; SK: string }) => entityBucketOf(PK, SK)

test("finds an entity's bucket again by its key", () => {
  expect(bucketOf(bucketTableKey(entityBucket('key-bob', 'org/gpt-4')))).toEqual({
    entityId: 'key-bob',
    resource: 'org/gpt-4',
  })
})

test('recognizes no other item as the bucket of an entity', () => {
  expect(bucketOf(bucketTableKey({ kind: 'policy', scope: 'GLOBAL', selector: '*' }))).toBeUndefined()
  expect(bucketOf(entityKey('key-bob'))).toBeUndefined()
  expect(bucketOf(usageHourKey('key-bob', 0, 'gpt-4', 1n))).toBeUndefined()
})
