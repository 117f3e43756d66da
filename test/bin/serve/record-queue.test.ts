import { expect, test } from 'vitest'
import { createRecordQueue } from '../../../bin/serve/delivery.ts'
import type { StreamRecord } from '../../../src/usage/stream-usage.ts'

const record = (sequence: number): StreamRecord => ({ dynamodb: { SequenceNumber: String(sequence) } })

test('delivers one lot at a time, in order, and is drained after the last', async () => {
  const delivered: string[] = []
  let underWay = 0
  const queue = createRecordQueue(async (records) => {
    underWay += 1
    expect(underWay).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    delivered.push(...records.map(({ dynamodb }) => dynamodb?.SequenceNumber ?? ''))
    underWay -= 1
  })
  queue.add([record(1)])
  queue.add([record(2), record(3)])
  await queue.drained()
  expect(delivered).toEqual(['1', '2', '3'])
  queue.add([record(4)])
  await queue.drained()
  expect(delivered).toEqual(['1', '2', '3', '4'])
})

test('is drained at once where nothing was added', async () => {
  await createRecordQueue(() => Promise.reject(new Error('not called'))).drained()
})

test('delivers what comes after an empty lot', async () => {
  const delivered: number[] = []
  const queue = createRecordQueue(async (records) => {
    delivered.push(records.length)
  })
  queue.add([])
  queue.add([record(1)])
  await queue.drained()
  expect(delivered).toEqual([1])
})
