import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { composeGateway } from '../../src/compose/gateway.ts'
import { silentLogger } from '../../src/core/ports/platform.ts'
import { noUpstreamMetrics } from '../../src/core/ports/upstreams.ts'
import { lruCaches } from '../../src/platform/runtime.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { startUpstream } from '../gateway/scripted-upstream.ts'
import { aCall, anUpstream, shown } from '../gateway/test-gateway.ts'

/** A call to an upstream that never responds, in a process whose invocation has so much time left. */
const heldCall = async (remainingMs?: number) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const held: ServerResponse[] = []
  const { baseUrl } = await startUpstream((_, response) => void held.push(response))
  const gateway = composeGateway(readSettings({}), {
    upstreams: { upstream: async () => anUpstream({ baseUrl }), hasUpstreams: async () => true },
    secrets: { read: async () => 'key' },
    environment: {},
    caches: lruCaches,
    logger: silentLogger,
    upstreamMetrics: noUpstreamMetrics,
    ...(remainingMs !== undefined && { remainingMs: () => remainingMs }),
  })
  onTestFinished(() => gateway.close())
  const calling = gateway.call(aCall())
  while (held.length === 0) await new Promise(setImmediate)
  return { calling, response: held[0] }
}

describe('a call to an upstream ends in time', () => {
  test.each([
    ['5 s before its invocation', 60_000, 55_000, 'The response of the upstream default took too long'],
    [
      'after 290 s without a byte, if an invocation lasts longer',
      900_000,
      290_000,
      'The upstream default did not respond in time',
    ],
    [
      'after 600 s where nothing limits it',
      undefined,
      600_000,
      'The upstream default did not respond in time',
    ],
  ] as const)('%s', async (_, remainingMs, ms, message) => {
    const { calling, response } = await heldCall(remainingMs)
    if (response === undefined) throw new Error('the upstream received nothing')
    await vi.advanceTimersByTimeAsync(ms - 10)
    expect(response.closed).toBe(false)
    const closed = once(response, 'close')
    await vi.advanceTimersByTimeAsync(20)
    await closed
    expect(shown(await calling)).toMatchObject({ status: 504, code: 'upstream_timeout', message })
  })
})
