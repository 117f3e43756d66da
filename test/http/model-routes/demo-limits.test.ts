import { expect, test } from 'vitest'
import { createDemoChat, type DemoChat, denialOf, hello } from './demo-chat.ts'

const sendTimes = async (
  chat: DemoChat,
  key: string,
  times: number,
  maxTokens: number,
): Promise<readonly number[]> => {
  const statuses: number[] = []
  for (let i = 0; i < times; i++) statuses.push((await chat.send(key, hello(maxTokens))).status)
  return statuses
}

const names = (violations: readonly { limit_name: string; entity_id: string }[]) =>
  violations.map(({ limit_name, entity_id }) => `${entity_id} ${limit_name}`)

test('key-bob has ten chats of 50 tokens, then is denied by rpm until six seconds have passed', async () => {
  const chat = createDemoChat()
  expect(await sendTimes(chat, 'key-bob', 10, 50)).toEqual(Array(10).fill(200))
  const denied = await chat.send('key-bob', hello(50))
  expect(denied.status).toBe(429)
  const body = await denialOf(denied)
  expect(body.error).toEqual({
    message:
      'Rate limit reached for gpt-4 in organization proj-demo on requests per min (RPM): Limit 10, Used 10, Requested 1. Please try again in 6s.',
    type: 'requests',
    param: null,
    code: 'rate_limit_exceeded',
  })
  expect(body).toMatchObject({ message: 'Rate limit exceeded for limits: rpm', retry_after_seconds: 6 })
  expect(body.violations).toEqual([
    {
      limit_name: 'rpm',
      entity_id: 'key-bob',
      resource: 'gpt-4',
      available: 0,
      requested: 1,
      capacity: 10,
      retry_after_seconds: 6,
    },
  ])
  expect(denied.headers.get('retry-after')).toBe('6')
  expect(denied.headers.get('retry-after-ms')).toBe('6000')
  expect(denied.headers.get('x-should-retry')).toBeNull()
  chat.advance(5999)
  expect((await chat.send('key-bob', hello(50))).status).toBe(429)
  chat.advance(1)
  expect((await chat.send('key-bob', hello(50))).status).toBe(200)
})

test('key-bob has four chats of 200 tokens, then is denied by tpm', async () => {
  const chat = createDemoChat()
  expect(await sendTimes(chat, 'key-bob', 4, 200)).toEqual([200, 200, 200, 200])
  const denied = await chat.send('key-bob', hello(200))
  const body = await denialOf(denied)
  expect([denied.status, ...names(body.violations)]).toEqual([429, 'key-bob tpm'])
  expect(body.error).toMatchObject({ type: 'tokens', code: 'rate_limit_exceeded' })
  expect(body.error.message).toMatch(
    /^Rate limit reached for gpt-4 in organization proj-demo on tokens per min \(TPM\): Limit 1000, Used \d+, Requested 213\. Please try again in \d/,
  )
})

test('key-bob is denied by proj-demo after alice and charlie have used it up, and his own bucket is unchanged', async () => {
  const chat = createDemoChat()
  expect(await sendTimes(chat, 'key-alice', 30, 10)).toEqual(Array(30).fill(200))
  expect(await sendTimes(chat, 'key-charlie', 20, 10)).toEqual(Array(20).fill(200))
  const denied = await chat.send('key-bob', hello(10))
  const body = await denialOf(denied)
  expect([denied.status, ...names(body.violations)]).toEqual([429, 'proj-demo rpm'])
  expect(denied.headers.get('x-ratelimit-limit-requests')).toBe('50')
  expect(denied.headers.get('x-ratelimit-remaining-requests')).toBe('0')
  expect(denied.headers.get('x-ratelimit-limit')).toBe('50')
  expect(denied.headers.get('x-ratelimit-remaining')).toBe('0')
  expect(denied.headers.get('ratelimit')).toBe('"rpm";r=10, "tpm";r=1000, "proj-demo/rpm";r=0;t=2')
  expect((await chat.bucket('key-bob'))?.used_requests ?? 0n).toBe(0n)
  expect((await chat.bucket('proj-demo'))?.used_requests).toBe(50n)
})
