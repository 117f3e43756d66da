import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { createLimiter } from '../../../src/core/decide/limiter.ts'
import { type Logger, momentOf, noMetrics, silentLogger } from '../../../src/core/ports/platform.ts'
import { sha256 } from '../../../src/platform/runtime.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createTestClock, SECOND } from '../test-clock.ts'
import { createTestConfig, entityOwner } from '../test-config.ts'
import { newMapCache } from '../test-limiter.ts'

const start = (limits: readonly object[], logger: Logger = silentLogger) => {
  const [store, config, clock] = [createMemoryBucketStore(), createTestConfig(), createTestClock()]
  let writes = 0
  const buckets: BucketStore = {
    ...store,
    write(...write) {
      writes++
      return store.write(...write)
    },
  }
  const limiter = createLimiter({
    ...{ buckets, live: store.live, config, clock, logger, newCache: newMapCache, pause: async () => {} },
    slotPrefix: 'slot-',
    hash: sha256,
    ...{ localBuckets: createMemoryBucketStore(), metrics: noMetrics },
  })
  config.putEntity('key')
  config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))
  const decide = async (times: number) => {
    let allowed = 0
    for (let i = 0; i < times; i++) {
      const decision = await limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })
      if (decision.allowed) allowed++
    }
    return allowed
  }
  return { limiter, config, clock, decide, writes: () => writes }
}

const RPM = { name: 'rpm', capacity: 10, refill_rate: 1 }

describe('a bucket that only this process writes', () => {
  test.each([
    RPM,
    { name: 'rpm', algorithm: 'sliding_window', limit: 10, window_seconds: 60, slots: 6 },
    { name: 'rpm', algorithm: 'fixed_window', limit: 10, window: 'minute' },
  ])('is written once and then charged in place: %o', async (limit) => {
    const { decide, writes } = start([limit])
    expect(await decide(15)).toBe(10)
    expect(writes()).toBe(1)
  })

  test.each([
    ['a limit that only warns', [RPM, { name: 'rph', capacity: 10, refill_rate: 1, mode: 'warn' }]],
    ['a window that numbers cannot represent', [{ name: 'rpm', capacity: 10, refill_rate: 1e-7 }]],
  ])('is written with each charge: %s', async (_, limits) => {
    const { decide, writes } = start(limits)
    expect(await decide(9)).toBe(9)
    expect(writes()).toBeGreaterThanOrEqual(9)
  })

  test('is written with each charge if every evaluated limit is logged', async () => {
    const { isDebugOn: _, ...logger } = silentLogger
    const { decide, writes } = start([RPM], logger)
    await decide(9)
    expect(writes()).toBeGreaterThanOrEqual(9)
  })

  test('denies by configuration no older than a second', async () => {
    const { decide, config, clock } = start([RPM])
    expect(await decide(11)).toBe(10)
    config.putLimits(entityOwner('key'), '_default_', parseLimits([{ ...RPM, capacity: 20 }], 'limits'))
    expect(await decide(1)).toBe(0)
    clock.advance(SECOND + 1n)
    expect(await decide(20)).toBe(11)
  })

  test('is charged by other limits as soon as the configuration is dropped', async () => {
    const { decide, limiter, config, clock } = start([RPM])
    const target = limiter.prepare({ entityId: 'key' })
    const atOnce = () => target.decide({ requests: 1 }, false, momentOf(clock))
    await decide(1)
    expect(atOnce()?.limits).toMatchObject([{ capacity: 10 }])
    config.putLimits(entityOwner('key'), '_default_', parseLimits([{ ...RPM, capacity: 20 }], 'limits'))
    limiter.forget()
    expect(atOnce()).toBeUndefined()
    await decide(1)
    expect(atOnce()?.limits).toMatchObject([{ capacity: 20 }])
  })
})
