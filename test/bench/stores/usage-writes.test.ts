import { expect, test } from 'vitest'
import { batchesOf, countUsageWrites, type TimedRecord } from '../../../bench/stores/usage-writes.ts'

const record = (key: string, rev: number, atMs: number): TimedRecord => {
  const image = (count: number) => ({
    born: { N: '1' },
    rev: { N: String(count) },
    used_requests: { N: String(count) },
  })
  const dynamodb = {
    Keys: { PK: { S: `ENTITY#${key}` }, SK: { S: 'BUCKET#_default_' } },
    OldImage: image(rev - 1),
    NewImage: image(rev),
    SequenceNumber: `${rev}`,
    ApproximateCreationDateTime: 1_800_000_000,
  }
  return { text: JSON.stringify({ dynamodb }), atMs }
}

test('ends a batch five seconds after its first record', () => {
  const records = [record('a', 1, 100), record('a', 2, 5099), record('a', 3, 5100), record('a', 4, 9000)]
  expect(batchesOf(records).map((batch) => batch.length)).toEqual([2, 2])
})

test('ends a batch at 10,000 records, and at 6 MB', () => {
  const small = Array.from({ length: 15_000 }, () => ({ text: 'x', atMs: 0 }))
  expect(batchesOf(small).map((batch) => batch.length)).toEqual([10_000, 5_000])
  const large = Array.from({ length: 7 }, () => ({ text: 'x'.repeat(2_000_000), atMs: 0 }))
  expect(batchesOf(large).map((batch) => batch.length)).toEqual([3, 3, 1])
})

test('counts one write for each key and batch', async () => {
  const records = Array.from({ length: 40 }, (_, at) =>
    record(`key-${at % 4}`, Math.floor(at / 4) + 1, at * 250),
  )
  // 10 s of records: two batches of four keys
  expect(await countUsageWrites(records)).toBe(8)
})

test('throws for a record that cannot be read', async () => {
  const broken = { text: record('a', 1, 0).text.replaceAll('"born":{"N":"1"}', '"born":{"S":"x"}'), atMs: 0 }
  await expect(countUsageWrites([broken])).rejects.toThrow('failed')
})
