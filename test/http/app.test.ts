import { describe, expect, test } from 'vitest'
import { createTestApp } from './test-app.ts'

describe('a change made through the API', () => {
  test('applies at once in the process that makes it: a model that did not exist', async () => {
    const { send, clock } = createTestApp()
    const status = async () => {
      clock.advance(1n)
      return (await send('GET', '/v1/models/gpt-4')).status
    }
    expect(await status()).toBe(404)
    await send('PUT', '/api/models/gpt-4', { body: {} })
    expect(await status()).toBe(200)
    await send('DELETE', '/api/models/gpt-4')
    expect(await status()).toBe(404)
  })

  test('applies at once to decisions: a limit that was raised', async () => {
    const { send, deps } = createTestApp()
    await send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org' } })
    const decide = () => deps.limiter.decide({ entityId: 'org', cost: { requests: 100 }, settles: false })
    expect((await decide()).allowed).toBe(false)
    const limits = [{ name: 'rpm', capacity: 100, refill_rate: 100 }]
    await send('PUT', '/api/limits/org', { body: { limits } })
    expect((await decide()).allowed).toBe(true)
  })

  test('is reported to the hook of the composition', async () => {
    const changes: object[] = []
    const { send } = createTestApp({ onChange: (change) => changes.push(change) })
    await send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org' } })
    await send('PUT', '/api/defaults', { body: { limits: [] } })
    await send('PUT', '/api/defaults', { body: { limits: [{ name: 'rpm', capacity: 1, refill_rate: 1 }] } })
    expect(changes).toContainEqual({ entityId: 'org' })
    expect(changes.at(-1)).toEqual({ all: true })
  })
})
