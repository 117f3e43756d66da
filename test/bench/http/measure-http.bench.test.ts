import { expect, test } from 'vitest'
import { findingOf } from '../../../bench/http/http-part.ts'
import { measureHttp } from '../../../bench/http/measure-http.ts'

test('measures both routes on every server, without an error response', async () => {
  const rows = await measureHttp({ connections: 1, seconds: 1, rounds: 1, warmUpRequests: 10 })
  const servers = ['bare', 'same', 'bypassed', 'zael']
  expect(rows.map(({ route, server }) => [route, server])).toEqual(
    ['/v1/limits/check', '/v1/chat/completions'].flatMap((route) => servers.map((server) => [route, server])),
  )
  for (const { perSecond, cpuMicros, mainMicros, ofBare, route } of rows) {
    expect(perSecond).toBeGreaterThan(0)
    expect(cpuMicros).toBeGreaterThan(0)
    expect(mainMicros).toBeGreaterThan(0)
    const bare = rows.find((row) => row.route === route && row.server === 'bare')
    expect(ofBare).toBeCloseTo(perSecond / (bare?.perSecond ?? 0), 10)
  }
  const { goals, charts } = findingOf(rows)
  const [bare, same, bypassed, check] = rows
  expect(goals.map(({ value }) => value)).toEqual([
    check?.ofBare,
    (check?.perSecond ?? 0) / (same?.perSecond ?? 0),
    rows.at(-1)?.ofBare,
    (check?.cpuMicros ?? 0) - (bypassed?.cpuMicros ?? 0),
    (check?.mainMicros ?? 0) - (bypassed?.mainMicros ?? 0),
  ])
  expect(bare?.ofBare).toBe(1)
  expect(charts[0]?.svg).toContain('/v1/chat/completions')
})
