import { describe, expect, test } from 'vitest'
import { CallAborted, type ModelBackend } from '../../../src/core/ports/model-backend.ts'
import { createTestApp } from '../test-app.ts'
import { eventsOf, fakeBackend, PROMPT_TOKENS, streamed, usageCharge, whole } from './fake-backend.ts'

const KEY = { 'x-api-key': 'the-secret-of-key-bob', 'content-type': 'application/json' }

/** key-bob may have one chat in flight. */
const chatting = async (call?: ModelBackend['call']) => {
  const app = createTestApp({ backend: fakeBackend(call === undefined ? {} : { call }) })
  await app.send('POST', '/api/entities', { body: { entity_id: 'key-bob', name: 'Bob' } })
  await app.send('POST', '/api/entities/key-bob/keys', { body: { secret: 'the-secret-of-key-bob' } })
  await app.send('PUT', '/api/models/gpt-4', { body: {} })
  const limits = [{ name: 'conc', algorithm: 'concurrency', limit: 1 }]
  await app.send('PUT', '/api/limits/key-bob', { body: { limits } })
  const chat = async (fields: object = {}, signal?: AbortSignal) =>
    app.app.request('/v1/chat/completions', {
      method: 'POST',
      headers: KEY,
      body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }], ...fields }),
      ...(signal && { signal }),
    })
  const inFlight = async () => {
    const { limits } = await app.deps.limiter.status('key-bob', 'gpt-4')
    return limits.find(({ limit }) => limit.name === 'conc')?.used
  }
  return { ...app, chat, inFlight }
}

describe('a chat with a concurrency limit', () => {
  test('holds a slot while the model responds', async () => {
    let finish = (): void => {}
    const { chat, inFlight } = await chatting(
      () =>
        new Promise((resolve) => {
          finish = () => resolve(whole({ id: 'c1' }, usageCharge(PROMPT_TOKENS, 3)))
        }),
    )
    const first = chat()
    await expect.poll(inFlight).toBe(1)
    const second = await chat()
    expect(second.status).toBe(429)
    expect(await second.json()).toMatchObject({
      error: {
        type: 'requests',
        message: expect.stringContaining('on concurrent requests: Limit 1, Used 1, Requested 1'),
      },
      retry_after_seconds: 1,
    })
    expect(second.headers.get('x-ratelimit-limit-requests')).not.toBe('1')
    expect(second.headers.get('retry-after')).toBe('1')
    finish()
    expect((await first).status).toBe(200)
    expect(await inFlight()).toBe(0)
  })

  test('holds it until the end of a stream, or until the client leaves', async () => {
    const { chat, inFlight } = await chatting(async () =>
      streamed(eventsOf(['a', 'b'], usageCharge(PROMPT_TOKENS, 2))),
    )
    const stream = await chat({ stream: true })
    expect(await inFlight()).toBe(1)
    expect((await chat()).status).toBe(429)
    await stream.text()
    expect(await inFlight()).toBe(0)
    const left = await chat({ stream: true })
    expect(await inFlight()).toBe(1)
    await left.body?.cancel()
    expect(await inFlight()).toBe(0)
  })

  test('frees it if the client leaves before the response, or the upstream fails', async () => {
    let error: Error = new CallAborted({ of: 'estimate' })
    const { chat, inFlight } = await chatting(async () => {
      throw error
    })
    await chat()
    expect(await inFlight()).toBe(0)
    error = new Error('failed')
    await chat()
    expect(await inFlight()).toBe(0)
  })
})
