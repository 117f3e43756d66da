import { expect, test } from 'vitest'
import { CHUNKS_PER_TURN, sseEvents } from '../../../src/http/chat/sse-events.ts'

test('a stream that never waits still yields to other work', async () => {
  const between: number[] = [0]
  const nextTurn = async () => {
    between.push(0)
  }
  async function* chunks() {
    for (let index = 0; index < 1000; index++) {
      between[between.length - 1] = (between.at(-1) ?? 0) + 1
      yield { index }
    }
  }
  const source = { chunks: chunks(), settle: async () => {}, abandon() {}, errorBody: () => ({}) }
  const events = sseEvents(source, nextTurn)
  let text = ''
  for (let isOver = false; !isOver; ) {
    const event = await events.next()
    text += event?.text
    isOver = event?.isLast ?? true
  }
  expect(text.endsWith('data: {"index":999}\n\ndata: [DONE]\n\n')).toBe(true)
  expect(Math.max(...between)).toBe(CHUNKS_PER_TURN)
})

test('ends without an error if the abandoned chunks fail', async () => {
  const calls: string[] = []
  async function* chunks() {
    try {
      yield { index: 0 }
    } finally {
      calls.push('ended')
      // biome-ignore lint/correctness/noUnsafeFinally: the failure under test
      throw new Error('the upstream is gone')
    }
  }
  const events = sseEvents({
    chunks: chunks(),
    settle: async () => void calls.push('settled'),
    abandon: () => void calls.push('abandoned'),
    errorBody: () => ({}),
  })
  await events.next()
  await events.cancel()
  expect(calls).toEqual(['abandoned', 'settled', 'ended'])
})
