import { expect, test } from 'vitest'
import { createPromptCounter } from '../../src/gateway/prompt-counter.ts'
import type { HotRequest } from '../../src/http/hot-route.ts'
import { aSimulatedModel } from '../gateway/simulated/simulated-calls.ts'
import { createTestGateway } from '../gateway/test-gateway.ts'
import { BOB, createCheckingApp } from './limit-checks/checking-app.ts'

const CHAT = { model: 'gpt-4', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 5 }

/** key-bob with leases, in front of the simulated model, without configured upstreams. */
const busyApp = async () => {
  const upstreams = { upstream: () => undefined, hasUpstreams: () => false }
  const { gateway } = createTestGateway([], {
    upstreams,
    prompts: createPromptCounter(),
    simulated: aSimulatedModel(),
  })
  const app = await createCheckingApp({
    backend: gateway,
    limiter: { leaseTtlMs: 1000, useDelayMs: 1000, sharesRefunds: true },
  })
  const limits = [
    { name: 'rpm', capacity: 1_000_000, refill_rate: 1000 },
    { name: 'tpm', capacity: 1_000_000_000, refill_rate: 1000 },
  ]
  for (const id of ['key-bob', 'proj-demo']) await app.send('PUT', `/api/limits/${id}`, { body: { limits } })
  return app
}

test.each<[string, object]>([
  ['/v1/limits/check', { cost: { requests: 1 } }],
  ['/v1/chat/completions', CHAT],
  ['/v1/completions', { model: 'gpt-4', prompt: 'Hello', max_tokens: 5 }],
  ['/v1/messages', CHAT],
])('%s responds within one call when its configuration is cached and a lease pays', async (path, body) => {
  const { hot } = await busyApp()
  const header = (name: string): string | undefined => BOB[name]
  const respond = async () => {
    const identity = await hot.identify(header)
    if (identity.kind !== 'caller') throw new Error('the key is unknown')
    const request: HotRequest = {
      acting: identity,
      requestId: 'req_1',
      header,
      signal: () => new AbortController().signal,
    }
    return { reply: hot.routes.find((route) => route.path === path)?.respond(body, request) }
  }
  // the first ones read the configuration; then many at once make a lease
  for (let turn = 0; turn < 4; turn++)
    await Promise.all(Array.from({ length: 20 }, async () => (await respond()).reply))
  const { reply } = await respond()
  expect(reply).not.toBeInstanceOf(Promise)
  expect(reply).toMatchObject({ status: 200 })
})
