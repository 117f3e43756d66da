import { expect, test } from 'vitest'
import { runRequests } from '../../../dashboard/try-it/run.ts'

test.each([
  [11, 3, 3],
  [2, 20, 2],
  [5, 1, 1],
])('sends %i requests, at most %i at once', async (count, parallelism, expectedAtOnce) => {
  let sent = 0
  let underWay = 0
  let mostUnderWay = 0
  await runRequests({ count, parallelism }, new AbortController().signal, async () => {
    sent++
    underWay++
    mostUnderWay = Math.max(mostUnderWay, underWay)
    await Promise.resolve()
    underWay--
  })
  expect({ sent, mostUnderWay }).toEqual({ sent: count, mostUnderWay: expectedAtOnce })
})

test('sends no more once it is stopped', async () => {
  const stopping = new AbortController()
  let sent = 0
  await runRequests({ count: 200, parallelism: 4 }, stopping.signal, async () => {
    if (++sent === 10) stopping.abort()
    await Promise.resolve()
  })
  expect(sent).toBeLessThan(15)
})
