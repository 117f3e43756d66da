import { expect, test } from 'vitest'
import { createReplies } from '../../../bin/workers/replies.ts'

test('gives each question its own answer', async () => {
  const replies = createReplies<string>(60_000)
  const asked: number[] = []
  const answers = [1, 2].map(() => replies.to((request) => asked.push(request)))
  for (const request of asked.toReversed()) replies.arrived(request, `answer ${request}`)
  expect(await Promise.all(answers)).toEqual(asked.map((request) => `answer ${request}`))
})

test('gives up on an answer that does not come, and ignores one that comes late', async () => {
  const replies = createReplies<string>(1)
  const asked: number[] = []
  expect(await replies.to((request) => asked.push(request))).toBeUndefined()
  replies.arrived(asked[0] ?? 0, 'late')
})
