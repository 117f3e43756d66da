import { expect, test } from 'vitest'
import { appFinding } from '../../../bench/app/app-part.ts'
import { APPS } from '../../../bench/app/apps.ts'
import { measureApps } from '../../../bench/app/measure-app.ts'

test('measures every app, without an error response', async () => {
  const length = { connections: 2, seconds: 1, rounds: 2, warmUpRequests: 10, warmUpSeconds: 1 }
  const rows = await measureApps({ ...length, engineUrl: undefined }, () => {})
  expect(rows.map(({ app }) => app)).toEqual(APPS)
  expect(rows.filter(({ writes }) => writes > 0).map(({ app }) => app.title)).toEqual([
    'zael, leased',
    'zael, leased',
    'rate-limiter-flexible, DynamoDB',
    'zael, exact',
  ])
  for (const { perSecond, cpuMicros, leastCpuMicros } of rows) {
    expect(perSecond).toBeGreaterThan(0)
    expect(leastCpuMicros).toBeGreaterThan(0)
    expect(leastCpuMicros).toBeLessThanOrEqual(cpuMicros)
  }
  const medianOf = (name: string) => rows.find(({ app }) => app.name === name)?.cpuMicros ?? Number.NaN
  const { goals } = appFinding(rows)
  expect(goals.map(({ value }) => value)).toEqual([
    medianOf('hono-zael-memory') / medianOf('hono-rate-limiter'),
    medianOf('hono-zael-leased') / medianOf('hono-rate-limiter'),
    medianOf('express-zael-memory') / medianOf('express-rate-limit'),
    medianOf('express-zael-leased') / medianOf('express-rate-limit'),
  ])
})
