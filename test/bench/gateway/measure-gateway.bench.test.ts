import { expect, test } from 'vitest'
import { startGateways } from '../../../bench/gateway/gateway-servers.ts'
import { LOADS, measureLoads, measureZael } from '../../../bench/gateway/measure-gateway.ts'

const SHORT = { seconds: 0.5, rounds: 1, warmUpCalls: 10, warmUpSeconds: 5, slowSeconds: 2 }

test('measures every load on zael and on what it is compared with, without an error response', async () => {
  const gateways = await startGateways({ withPeers: false })
  try {
    const rows = await measureLoads(gateways, SHORT, () => {})
    const names = ['direct', 'passThrough', 'bypassed', 'zael']
    expect(rows.map(({ load, gateway }) => [load, gateway])).toEqual(
      LOADS.flatMap(({ title }) => names.map((name) => [title, name])),
    )
    for (const { perSecond, cpuMicros, firstP50Ms, p50Ms } of rows) {
      expect(perSecond).toBeGreaterThan(0)
      expect(cpuMicros).toBeGreaterThan(0)
      expect(firstP50Ms).toBeLessThanOrEqual(p50Ms)
    }
    const figures = await measureZael(gateways, SHORT, () => {})
    expect(figures.writesPerChat).toBeGreaterThan(0)
    expect(figures.otherBesideP99Ms).toBeGreaterThan(0)
  } finally {
    await gateways.stop()
  }
})
