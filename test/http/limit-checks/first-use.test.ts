import { expect, test } from 'vitest'
import { SECOND } from '../../core/test-clock.ts'
import { createCheckingApp } from './checking-app.ts'

test('a window from its first use on shows its end in checks and headers, and restarts after it', async () => {
  const { send, check, clock } = await createCheckingApp()
  const run = { name: 'run', algorithm: 'fixed_window', limit: 2, window: 'first_use', window_seconds: 600 }
  await send('PUT', '/api/limits/key-bob', { body: { limits: [run] } })
  const shown = async (dry_run = false) => {
    const { status, body, headers } = await check({ cost: { requests: 1 }, dry_run })
    const { limits } = body as { limits: readonly { limit_name: string; reset_after_seconds: number }[] }
    const item = headers
      .get('ratelimit')
      ?.split(', ')
      .find((each) => each.startsWith('"run"'))
    return [status, limits.find(({ limit_name }) => limit_name === 'run')?.reset_after_seconds, item]
  }
  expect(await shown(true)).toEqual([200, 0, '"run";r=2'])
  expect(await shown()).toEqual([200, 600, '"run";r=1;t=600'])
  clock.advance(100n * SECOND)
  expect(await shown()).toEqual([200, 500, '"run";r=0;t=500'])
  expect(await shown()).toEqual([429, 500, '"run";r=0;t=500'])
  clock.advance(500n * SECOND)
  expect(await shown(true)).toEqual([200, 0, '"run";r=2'])
  clock.advance(7n * SECOND)
  expect(await shown()).toEqual([200, 600, '"run";r=1;t=600'])
})
