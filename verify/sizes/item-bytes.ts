import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { BucketId } from '../../src/core/bucket/bucket-store.ts'
import type { BucketItem } from '../../src/core/bucket/write.ts'
import { fieldAttribute, type StoredItem, toItem } from '../../src/store/dynamodb/attributes.ts'
import { bucketTableKey } from '../../src/store/dynamodb/table-keys.ts'

const UNIT_BYTES = 1024

/**
 * The size of a bucket's item by DynamoDB's rules, including keys: names and strings count their UTF-8 bytes, a number
 * one byte per two significant digits plus one, a map three bytes plus one per entry.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export const itemBytes = (id: BucketId, item: BucketItem): number => {
  const fields = Object.entries(item).map(([name, value]): [string, AttributeValue] => [
    name,
    fieldAttribute(value),
  ])
  return attributesBytes({ ...toItem({ ...bucketTableKey(id) }), ...Object.fromEntries(fields) })
}

/** The write units billed for an item of this size: one per started KB. */
export const writeUnits = (bytes: number): number => Math.ceil(bytes / UNIT_BYTES)

const attributesBytes = (attributes: StoredItem): number =>
  Object.entries(attributes).reduce((sum, [name, value]) => sum + utf8(name) + valueBytes(value), 0)

const valueBytes = (value: AttributeValue): number => {
  if (value.S !== undefined) return utf8(value.S)
  if (value.N !== undefined) return numberBytes(value.N)
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + attributesBytes(value.M)
  throw new Error(`a bucket contains strings, numbers and maps, not ${Object.keys(value).join()}`)
}

/** Leading and trailing zeros do not count. */
const numberBytes = (digits: string): number => {
  const significant = digits.replace(/^-/, '').replace(/^0+/, '').replace(/0+$/, '')
  return Math.ceil(significant.length / 2) + 1
}

const utf8 = (text: string): number => new TextEncoder().encode(text).length
