import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import { createClockCheck, createClockSkew } from '../../../src/store/dynamodb/clock-skew.ts'
import { createManualClock } from './manual-time.ts'

const MS = 1_000_000n

const SECOND = 1000n * MS

const START = 1_790_000_000n * SECOND

/** A node whose clock is `aheadNs` ahead of the store's, which stamps responses with whole seconds. */
const nodeAhead = (aheadNs: bigint, maxClockSkewMs = 5000) => {
  const clock = createManualClock(START + aheadNs)
  const warnings: unknown[] = []
  const logger = { ...silentLogger, warn: (_: string, fields?: object) => warnings.push(fields) }
  const skew = createClockSkew({ clock, logger, maxClockSkewMs })
  let ahead = aheadNs
  const call = (tookNs = 20n * MS): void => {
    const sentAt = clock.now()
    clock.pass(tookNs / 2n)
    const stamp = Number((clock.now() - ahead) / SECOND) * 1000
    clock.pass(tookNs / 2n)
    skew.observe(sentAt, clock.now(), new Date(stamp).toUTCString())
  }
  const step = (ns: bigint): void => {
    clock.step(ns)
    ahead += ns
  }
  return { clock, skew, warnings, call, step }
}

describe('the clock, compared with the store', () => {
  test.each([-900n, 0n, 900n])('is trusted %i ms off, without a warning', (aheadMs) => {
    const { clock, skew, warnings, call } = nodeAhead(aheadMs * MS)
    for (let i = 0; i < 40; i += 1) {
      call()
      clock.pass(137n * MS)
    }
    expect(skew.trust()).toBe('trusted')
    expect(warnings).toEqual([])
  })

  test.each([-2000n, 2000n])('is trusted %i ms off, with one warning a minute', (aheadMs) => {
    const { clock, skew, warnings, call } = nodeAhead(aheadMs * MS)
    for (let i = 0; i < 100; i += 1) {
      call()
      clock.pass(1037n * MS)
    }
    expect(skew.trust()).toBe('trusted')
    expect(warnings).toHaveLength(2)
    expect(Number(skew.skewNs() / MS)).toBeCloseTo(Number(aheadMs), -2)
  })

  test.each([-7000n, 7000n])('is untrusted if %i ms off, after the first response', (aheadMs) => {
    const { skew, call } = nodeAhead(aheadMs * MS)
    expect(skew.trust()).toBe('unknown')
    call()
    expect(skew.trust()).toBe('untrusted')
  })

  test('is not untrusted because of a slow call', () => {
    const { skew, call } = nodeAhead(0n)
    call(20n * SECOND)
    expect(skew.trust()).toBe('trusted')
  })

  test('uses the bound of the options', () => {
    const { skew, call } = nodeAhead(7000n * MS, 10_000)
    call()
    expect(skew.trust()).toBe('trusted')
  })

  test('has to be compared again once somebody has set it', () => {
    const { skew, call, step } = nodeAhead(0n)
    call()
    step(3600n * SECOND)
    expect(skew.trust()).toBe('unknown')
    call()
    expect(skew.trust()).toBe('untrusted')
    step(-3600n * SECOND)
    call()
    expect(skew.trust()).toBe('trusted')
  })

  test('is measured again after it has been untrusted for a second', () => {
    const { clock, skew, call } = nodeAhead(60n * SECOND)
    call()
    clock.pass(SECOND + 1n)
    expect(skew.trust()).toBe('unknown')
  })

  test('is trusted if the store sends no Date', () => {
    const { clock, skew } = nodeAhead(0n)
    skew.observe(clock.now(), clock.now(), undefined)
    expect(skew.trust()).toBe('trusted')
  })
})

describe('the check before time is written', () => {
  test('reads the store once for all waiting writes, and then no more', async () => {
    const { skew, call } = nodeAhead(0n)
    let looks = 0
    const check = createClockCheck({ skew, reported: (error) => error }, async () => {
      looks += 1
      await Promise.resolve()
      call()
    })
    await Promise.all([check(), check(), check()])
    await check()
    expect(looks).toBe(1)
  })

  test('rejects as not applied while the clock is untrusted, and measures again a second later', async () => {
    const { clock, skew, call, step } = nodeAhead(60n * SECOND)
    const check = createClockCheck({ skew, reported: (error) => error }, async () => call())
    const refuses = { name: 'StoreUnavailable', mayHaveApplied: false }
    await expect(check()).rejects.toMatchObject(refuses)
    step(-60n * SECOND)
    await check()
    step(60n * SECOND)
    await expect(check()).rejects.toMatchObject(refuses)
    clock.pass(2n * SECOND)
    await expect(check()).rejects.toMatchObject(refuses)
  })

  test('names the clock in the reason, which is reported', async () => {
    const { skew, call } = nodeAhead(30n * SECOND)
    const reasons: string[] = []
    const reported = (error: StoreUnavailable): StoreUnavailable => {
      reasons.push(error.reason)
      return error
    }
    const check = createClockCheck({ skew, reported }, async () => call())
    await expect(check()).rejects.toMatchObject({ isClockOff: true })
    expect(reasons).toEqual([
      expect.stringMatching(
        /^the clock of this machine is \d+\.\d s ahead of the store's; at most 5000 ms are allowed$/,
      ),
    ])
  })

  test('rejects as not applied if the store cannot be read', async () => {
    const { skew } = nodeAhead(0n)
    const check = createClockCheck({ skew, reported: (error) => error }, async () => {
      throw new StoreUnavailable('away', { mayHaveApplied: true })
    })
    await expect(check()).rejects.toMatchObject({ mayHaveApplied: false })
  })
})
