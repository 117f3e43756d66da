import { expect, test } from 'vitest'
import { type LoadRequest, NoAnswer } from '../../../bin/load/http-client.ts'
import { createTally, requestsOf } from '../../../bin/load/measuring/tally.ts'
import { type Callers, runCallers } from '../../../bin/load/run-callers.ts'

/** Runs two callers for a moment against `answer`. */
const run = async (answer: (request: LoadRequest) => Promise<number>, options: Partial<Callers> = {}) => {
  const tally = createTally(2, 2)
  let isClosed = false
  const client = {
    send: answer,
    close: () => {
      isClosed = true
    },
  }
  await runCallers({
    client,
    tally,
    nodes: 2,
    apiKeys: ['a', 'b'],
    payloads: [Buffer.from('{}')],
    stages: [{ fromCallers: 2, toCallers: 2, durationMs: 100 }],
    process: 0,
    processes: 1,
    delayMs: 1,
    random: Math.random,
    signal: new AbortController().signal,
    ...options,
  })
  return { tally, isClosed }
}

test('asks every node as every key, and counts each answer where it belongs', async () => {
  const sent: string[] = []
  const { tally, isClosed } = await run(async ({ node, apiKey }) => {
    sent.push(`${node}${apiKey}`)
    return apiKey === 'a' ? 200 : 429
  })
  expect(new Set(sent)).toEqual(new Set(['0a', '0b', '1a', '1b']))
  const times = (part: string): number => sent.filter((route) => route.includes(part)).length
  const { byNode, byKey } = tally.counts()
  expect(byNode.map(requestsOf)).toEqual([times('0'), times('1')])
  expect(byKey).toEqual([
    { success: times('a'), throttled: 0, errors: {} },
    { success: 0, throttled: times('b'), errors: {} },
  ])
  expect(isClosed).toBe(true)
})

test('has no more requests under way than callers, of which others may run a part', async () => {
  const mostUnderWay = async (process: number): Promise<number> => {
    let underWay = 0
    let most = 0
    await run(
      async () => {
        most = Math.max(most, ++underWay)
        await new Promise(setImmediate)
        underWay--
        return 200
      },
      { process, processes: 2, stages: [{ fromCallers: 5, toCallers: 5, durationMs: 60 }] },
    )
    return most
  }
  expect([await mostUnderWay(0), await mostUnderWay(1)]).toEqual([3, 2])
})

test('ends when told, in the middle of a delay, and knows what it has counted', async () => {
  const stopping = new AbortController()
  const { tally } = await run(
    async () => {
      stopping.abort()
      return 200
    },
    {
      signal: stopping.signal,
      delayMs: 3_600_000,
      stages: [{ fromCallers: 1, toCallers: 1, durationMs: 86_400_000 }],
    },
  )
  expect(tally.total()).toEqual({ success: 1, throttled: 0, errors: {} })
})

test('counts requests without an answer by why there was none', async () => {
  const { tally } = await run(async () => {
    throw new NoAnswer('ECONNREFUSED')
  })
  expect(Object.keys(tally.total().errors)).toEqual(['ECONNREFUSED'])
})
