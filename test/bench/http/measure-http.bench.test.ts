import { expect, test } from 'vitest'
import { findingOf } from '../../../bench/http/http-part.ts'
import { measureHttp } from '../../../bench/http/measure-http.ts'

test('measures both routes and bare handlers, without an error response', async () => {
  const rows = await measureHttp({ connections: 1, seconds: 1, rounds: 1, warmUpSeconds: 0.1 })
  expect(rows.map(({ route }) => route)).toEqual(['/v1/limits/check', '/v1/chat/completions'])
  for (const { perSecond, barePerSecond, ofBare, cpuMicros, bareCpuMicros } of rows) {
    expect(perSecond).toBeGreaterThan(0)
    expect(bareCpuMicros).toBeGreaterThan(0)
    expect(cpuMicros).toBeGreaterThan(bareCpuMicros)
    expect(barePerSecond).toBeGreaterThan(0)
    expect(ofBare).toBeCloseTo(perSecond / barePerSecond, 10)
  }
  const { goals, charts } = findingOf(rows)
  expect(goals.map(({ value }) => value)).toEqual([rows[0]?.ofBare, rows[0]?.perSecond])
  expect(charts[0]?.svg).toContain('/v1/chat/completions')
})
