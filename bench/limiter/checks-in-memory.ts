import { RateLimiterMemory } from 'rate-limiter-flexible'
import { createRateLimiter, silentLogger } from '../../src/library/index.ts'

/** CPU of one call of `check()` of the package, or of a peer's equal. */
export interface CheckRow {
  readonly limiter: string
  readonly keys: string
  readonly cpuUs: number
}

const KEYS = Array.from({ length: 10_000 }, (_, index) => `user-${index}`)

/** A step that is coprime to the number of keys visits all of them, without the order in which they were created. */
const STEP = 7919

const LARGE = 1_000_000_000

interface Contender {
  readonly limiter: string
  readonly keys: string
  check(at: number): Promise<unknown>
}

const keyAt = (at: number): string => KEYS[(at * STEP) % KEYS.length] ?? ''

const createContenders = (): readonly Contender[] => {
  const flexible = new RateLimiterMemory({ points: LARGE, duration: 3600 })
  const limits = [{ name: 'rph', capacity: LARGE, refill_rate: LARGE / 3600 }]
  const limiter = createRateLimiter({ limits, logger: silentLogger })
  const exhausted = createRateLimiter({
    limits: [{ name: 'rph', capacity: 1, refill_rate: 0.0001 }],
    logger: silentLogger,
  })
  return [
    { limiter: 'rate-limiter-flexible', keys: 'one', check: () => flexible.consume('user') },
    { limiter: 'zael', keys: 'one', check: () => limiter.check('user') },
    { limiter: 'zael', keys: 'one, denied', check: () => exhausted.check('user') },
    { limiter: 'rate-limiter-flexible', keys: '10,000', check: (at) => flexible.consume(keyAt(at)) },
    { limiter: 'zael', keys: '10,000', check: (at) => limiter.check(keyAt(at)) },
  ]
}

const cpuUsOf = async ({ check }: Contender, calls: number): Promise<number> => {
  const before = process.cpuUsage()
  for (let at = 0; at < calls; at++) await check(at)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

/**
 * The CPU of a check in memory of each contender, in turns: the least of `rounds`, as other load on the machine only adds. The
 * first round, in which buckets are created, is not counted.
 */
export const measureChecksInMemory = async (calls: number, rounds: number): Promise<readonly CheckRow[]> => {
  const contenders = createContenders()
  const least = contenders.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round <= rounds; round++)
    for (const [index, contender] of contenders.entries()) {
      const cpuUs = await cpuUsOf(contender, calls)
      if (round > 0) least[index] = Math.min(least[index] ?? cpuUs, cpuUs)
    }
  return contenders.map(({ limiter, keys }, index) => ({ limiter, keys, cpuUs: least[index] ?? 0 }))
}
