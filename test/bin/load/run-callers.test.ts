import { expect, test } from 'vitest'
import { type LoadRequest, NoResponse } from '../../../bin/load/http-client.ts'
import { type Callers, type Content, createPayloads, runCallers } from '../../../bin/load/run-callers.ts'
import { createTally, requestsOf } from '../../../bin/load/tally.ts'

const HOUR_MS = 3_600_000

/** Runs two callers against `respond`, until it aborts `stopping`. */
const run = async (
  respond: (request: LoadRequest, stopping: AbortController) => Promise<number>,
  options: Partial<Callers> = {},
) => {
  const tally = createTally(2, 2)
  const stopping = new AbortController()
  let isClosed = false
  const client = {
    send: (request: LoadRequest) => respond(request, stopping),
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
    stages: [{ fromCallers: 2, toCallers: 2, durationMs: HOUR_MS }],
    process: 0,
    processes: 1,
    delayMs: 1,
    random: Math.random,
    signal: stopping.signal,
    ...options,
  })
  return { tally, isClosed }
}

test('callers send to every node with every key, and count each response by node and key', async () => {
  const sent: string[] = []
  const { tally, isClosed } = await run(async ({ node, apiKey }, stopping) => {
    sent.push(`${node}${apiKey}`)
    if (new Set(sent).size === 4) stopping.abort()
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

test('there are no more requests in flight than callers, some of which other processes may run', async () => {
  const mostUnderWay = async (process: number): Promise<number> => {
    let underWay = 0
    let most = 0
    let sent = 0
    await run(
      async (_, stopping) => {
        most = Math.max(most, ++underWay)
        if (++sent === 50) stopping.abort()
        await new Promise(setImmediate)
        underWay--
        return 200
      },
      { process, processes: 2, stages: [{ fromCallers: 5, toCallers: 5, durationMs: HOUR_MS }] },
    )
    return most
  }
  expect([await mostUnderWay(0), await mostUnderWay(1)]).toEqual([3, 2])
})

test('callers stop on abort, in the middle of a delay, and return their counts', async () => {
  const { tally } = await run(
    async (_, stopping) => {
      stopping.abort()
      return 200
    },
    { delayMs: HOUR_MS, stages: [{ fromCallers: 1, toCallers: 1, durationMs: HOUR_MS }] },
  )
  expect(tally.total()).toEqual({ success: 1, throttled: 0, errors: {} })
})

test('requests without a response are counted by cause', async () => {
  const { tally } = await run(async (_, stopping) => {
    stopping.abort()
    throw new NoResponse('ECONNREFUSED')
  })
  expect(Object.keys(tally.total().errors)).toEqual(['ECONNREFUSED'])
})

const content: Content = {
  isCheck: false,
  model: 'gpt-4o',
  message: 'Hi',
  maxTokens: 7,
  payloadCacheSize: 100,
}

test('the number of different chats is as configured', () => {
  const bodies = createPayloads(content).map((body) => body.toString())
  expect(new Set(bodies).size).toBe(100)
  expect(JSON.parse(bodies[0] ?? '')).toEqual({
    model: 'gpt-4o',
    max_tokens: 7,
    messages: [{ role: 'user', content: 'Hi' }],
  })
})

test('there is one check, which has the cost that a chat may have', () => {
  const bodies = createPayloads({ ...content, isCheck: true }).map((body) => JSON.parse(body.toString()))
  expect(bodies).toEqual([{ resource: 'gpt-4o', cost: { requests: 1, tokens: 7 } }])
})
