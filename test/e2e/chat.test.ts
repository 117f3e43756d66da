import { describe, expect, test } from 'vitest'
import { admin, ask, chat, newCaller } from './deployment.ts'

describe('a chat', () => {
  test('returns a response in the format of OpenAI, with the limits in its headers', async () => {
    const { key } = await newCaller({ rpm: 5, tpm: 1000 })
    const { status, headers, body } = await chat(key)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      object: 'chat.completion',
      model: 'gpt-4',
      choices: [{ message: { role: 'assistant' }, finish_reason: 'length' }],
      usage: { completion_tokens: 50 },
    })
    expect(headers.get('x-ratelimit-limit-requests')).toBe('5')
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('4')
    expect(headers.get('x-request-id')).toBeTruthy()
  })

  test('is charged for its prompt and its completion', async () => {
    const { key } = await newCaller({ rpm: 5, tpm: 100 })
    const { headers, body } = await chat(key, { max_tokens: 20 })
    const { prompt_tokens: prompt, total_tokens: total } = body.usage
    expect([prompt > 0, total]).toEqual([true, prompt + 20])
    expect(headers.get('x-ratelimit-remaining-tokens')).toBe(String(100 - total))
  })

  test('streams chunks up to the end mark', async () => {
    const { key } = await newCaller({ rpm: 5, tpm: 1000 })
    const { status, headers, body } = await chat(key, { stream: true, max_tokens: 4 })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toContain('text/event-stream')
    expect(body).toMatch(/^data: \{.*"chat\.completion\.chunk"/)
    expect(body.trimEnd()).toMatch(/data: \[DONE\]$/)
  })

  test('is rejected without a key, with an unknown key, and for an unregistered model', async () => {
    const { key } = await newCaller({ rpm: 5, tpm: 1000 })
    expect((await ask(null, 'POST', '/v1/chat/completions', {})).status).toBe(401)
    expect((await chat('sk-unknown')).body.error.code).toBe('invalid_api_key')
    const unknown = await chat(key, { model: 'gpt-none' })
    expect([unknown.status, unknown.body.error.code]).toEqual([404, 'model_not_found'])
  })
})

describe('a limit', () => {
  test('allows exactly its capacity, then returns 429 with the retry time', async () => {
    const { entityId, key } = await newCaller({ rpm: 3, tpm: 10_000 })
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await chat(key)).status)
    expect(statuses).toEqual([200, 200, 200])
    const { status, headers, body } = await chat(key)
    expect(status).toBe(429)
    expect(body.error).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded', param: null })
    expect(body.violations).toMatchObject([
      { limit_name: 'rpm', entity_id: entityId, resource: 'gpt-4', available: 0, requested: 1, capacity: 3 },
    ])
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(Number(headers.get('retry-after-ms'))).toBeGreaterThan(0)
  })

  test('holds across concurrent Lambdas', async () => {
    const { key } = await newCaller({ rpm: 5, tpm: 100_000 })
    const responses = await Promise.all(Array.from({ length: 8 }, () => chat(key, { max_tokens: 1 })))
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(5)
    expect(responses.filter(({ status }) => status === 429)).toHaveLength(3)
  })

  test('that a request can never pass returns no retry time', async () => {
    const { key } = await newCaller({ rpm: 5, tpm: 100 })
    const { status, headers, body } = await chat(key, { max_tokens: 500 })
    expect([status, body.retry_after_seconds]).toEqual([429, null])
    expect(headers.get('x-should-retry')).toBe('false')
    expect(headers.get('retry-after')).toBeNull()
  })

  test('of the demo data allows key-bob ten short chats per minute', async () => {
    await admin('POST', '/api/limits/proj-demo/reset', {})
    await admin('POST', '/api/limits/key-bob/reset', {})
    const statuses: number[] = []
    while (statuses.length < 14 && statuses.at(-1) !== 429) statuses.push((await chat('key-bob')).status)
    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 200))
    expect(statuses.at(-1)).toBe(429)
  })
})

describe('a parent', () => {
  test('limits its children, and its denials do not charge their own buckets', async () => {
    const parent = await newCaller({ rpm: 4, tpm: 100_000 })
    const [one, other] = [
      await newCaller({ rpm: 10, tpm: 10_000 }, parent.entityId),
      await newCaller({ rpm: 10, tpm: 10_000 }, parent.entityId),
    ]
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) statuses.push((await chat(one.key)).status)
    expect(statuses).toEqual([200, 200, 200, 200])
    const denied = await chat(other.key)
    expect(denied.status).toBe(429)
    expect(denied.body.violations).toMatchObject([
      { entity_id: parent.entityId, limit_name: 'rpm', capacity: 4 },
    ])
    const { body } = await admin('GET', `/api/dashboard/availability/${other.entityId}?resource=gpt-4`)
    expect(body.limits).toMatchObject([
      { name: 'rpm', available: 10, used: 0 },
      { name: 'tpm', available: 10_000, used: 0 },
    ])
  })
})
