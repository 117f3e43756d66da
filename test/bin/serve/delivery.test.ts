import { expect, test } from 'vitest'
import { createDelivery, createRecordQueue } from '../../../bin/serve/delivery.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import type { StreamRecord } from '../../../src/usage/stream-usage.ts'

const records = (count: number): StreamRecord[] =>
  Array.from({ length: count }, (_, place) => ({ dynamodb: { SequenceNumber: String(place) } }))

/** An aggregator that fails the records named by `fails`, by sequence number and call. */
const start = (fails: (sequence: number, call: number) => boolean) => {
  const calls: number[][] = []
  const errors: string[] = []
  const deliver = createDelivery({
    aggregator: {
      handle: async ({ Records: some }) => {
        const sequences = some.map(({ dynamodb }) => Number(dynamodb?.SequenceNumber))
        calls.push(sequences)
        const failed = sequences.filter((sequence) => fails(sequence, calls.length))
        return { batchItemFailures: failed.map((sequence) => ({ itemIdentifier: String(sequence) })) }
      },
    },
    logger: { ...silentLogger, error: (message) => errors.push(message) },
    attempts: 3,
    pauseMs: 0,
  })
  return { calls, errors, deliver }
}

test('records are delivered in batches of at most 500, in order', async () => {
  const { calls, deliver } = start(() => false)
  await deliver(records(1201))
  expect(calls.map((call) => call.length)).toEqual([500, 500, 201])
  expect(calls.flat()).toEqual(Array.from({ length: 1201 }, (_, place) => place))
})

test('delivery resumes at the first failed record', async () => {
  const { calls, errors, deliver } = start((sequence, call) => call === 1 && sequence >= 2)
  await deliver(records(4))
  expect(calls).toEqual([
    [0, 1, 2, 3],
    [2, 3],
  ])
  expect(errors).toEqual([])
})

test('a record that fails repeatedly is dropped, and delivery continues behind it', async () => {
  const { calls, errors, deliver } = start((sequence) => sequence === 1)
  await deliver(records(3))
  expect(calls).toEqual([[0, 1, 2], [1, 2], [1, 2], [1, 2], [2]])
  expect(errors).toEqual(['usage record dropped'])
})

const record = (sequence: number): StreamRecord => ({ dynamodb: { SequenceNumber: String(sequence) } })

test('one lot is delivered at a time, in order, and drained resolves after the last', async () => {
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

test('drained resolves at once if nothing was added', async () => {
  await createRecordQueue(() => Promise.reject(new Error('not called'))).drained()
})

test('lots after an empty one are delivered', async () => {
  const delivered: number[] = []
  const queue = createRecordQueue(async (records) => {
    delivered.push(records.length)
  })
  queue.add([])
  queue.add([record(1)])
  await queue.drained()
  expect(delivered).toEqual([1])
})
