import { expect, test } from 'vitest'
import { createInvocations, servesManyAtATime, settingsOfThread } from '../../lambdas/invocations.ts'
import { readSettings } from '../../src/settings/read-settings.ts'

const withRemaining = (ms: number) => ({ getRemainingTimeInMillis: () => ms })

test('each of several invocations at a time has its own remaining time, also after it has waited', async () => {
  const { run, remainingMs } = createInvocations()
  let proceed = (): void => {}
  const begun = new Promise<void>((resolve) => {
    proceed = resolve
  })
  const short = run(withRemaining(10_000), async () => {
    await begun
    return remainingMs()
  })
  const long = run(withRemaining(900_000), async () => {
    proceed()
    await Promise.resolve()
    return remainingMs()
  })
  expect(await short).toBeLessThanOrEqual(10_000)
  expect(await long).toBeGreaterThan(800_000)
  expect(remainingMs()).toBe(Number.POSITIVE_INFINITY)
})

test('an environment serves several invocations at a time if ZaelApi or Lambda says so', () => {
  expect(servesManyAtATime({})).toBe(false)
  expect(servesManyAtATime({ MANAGED_INSTANCES: 'false' })).toBe(false)
  expect(servesManyAtATime({ MANAGED_INSTANCES: 'true' })).toBe(true)
  expect(servesManyAtATime({ AWS_LAMBDA_MAX_CONCURRENCY: '64' })).toBe(true)
})

test('a thread is a node: it appends its number to the name of the environment', () => {
  expect(settingsOfThread(readSettings({ NODE_ID: 'env' }), 3).nodeId).toBe('env/3')
  expect(settingsOfThread(readSettings({}), 3).nodeId).toBeNull()
})
