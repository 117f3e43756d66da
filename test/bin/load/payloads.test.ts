import { expect, test } from 'vitest'
import { type Content, createPayloads } from '../../../bin/load/payloads.ts'

const content: Content = {
  isCheck: false,
  model: 'gpt-4o',
  message: 'Hi',
  maxTokens: 7,
  payloadCacheSize: 100,
}

test('makes as many different chats as told', () => {
  const bodies = createPayloads(content).map((body) => body.toString())
  expect(new Set(bodies).size).toBe(100)
  expect(JSON.parse(bodies[0] ?? '')).toEqual({
    model: 'gpt-4o',
    max_tokens: 7,
    messages: [{ role: 'user', content: 'Hi' }],
  })
})

test('makes one check, which asks for what a chat may use', () => {
  const bodies = createPayloads({ ...content, isCheck: true }).map((body) => JSON.parse(body.toString()))
  expect(bodies).toEqual([{ resource: 'gpt-4o', cost: { requests: 1, tokens: 7 } }])
})
