import { RateLimiterMemory } from 'rate-limiter-flexible'
import { dynamoDbStore } from '../../src/library/dynamodb.ts'
import { createRateLimiter, type RateLimiter, silentLogger } from '../../src/library/index.ts'
import { forEachAtOnce } from '../stores/contender.ts'
import { CREDENTIALS, DEADLINE_MS, openBenchTable } from '../table.ts'

/** CPU of one call of `check()` of the package, or of a peer's equal. */
export interface CheckRow {
  readonly limiter: string
  readonly store: 'memory' | 'DynamoDB, leased'
  readonly keys: string
  readonly cpuUs: number
}

export interface ChecksOptions {
  /** Per contender and round. */
  readonly calls: number
  readonly rounds: number
  /** The keys of the rows with many. */
  readonly keys: number
  readonly engineUrl: string | undefined
}

interface Contender extends Omit<CheckRow, 'cpuUs'> {
  check(at: number): Promise<unknown>
}

/** A step that is coprime to the number of keys visits all of them, without the order in which they were created. */
const STEP = 7919

const LARGE = 1_000_000_000

const RPH = { name: 'rph', capacity: LARGE, refill_rate: LARGE / 3600 }

/**
 * The CPU of a check of each contender, in turns: the least of `rounds`, as other load on the machine only adds. The first
 * round, in which buckets are created and code is compiled, is not counted.
 */
export const measureChecks = async (options: ChecksOptions): Promise<readonly CheckRow[]> => {
  const keys = Array.from({ length: options.keys }, (_, index) => `user-${index}`)
  const keyAt = (at: number): string => keys[(at * STEP) % keys.length] ?? ''
  const leased = await openLeased(options.engineUrl)
  try {
    await leased.leaseAll([...keys, 'user'])
    const contenders = [...contendersInMemory(keyAt), ...contendersLeased(leased.limiter, keyAt)]
    const before = leased.writes()
    const rows = await leastCpuOf(contenders, options)
    const perCheck = (leased.writes() - before) / (2 * options.calls * (1 + options.rounds))
    if (perCheck > MOST_WRITES) throw new Error(`${perCheck} writes per leased check: leases are too small`)
    return rows
  } finally {
    await leased.close()
  }
}

const MANY = '10,000'

const contendersInMemory = (keyAt: (at: number) => string): readonly Contender[] => {
  const flexible = new RateLimiterMemory({ points: LARGE, duration: 3600 })
  const limiter = createRateLimiter({ limits: [RPH], logger: silentLogger })
  const exhausted = createRateLimiter({
    limits: [{ name: 'rph', capacity: 1, refill_rate: 0.0001 }],
    logger: silentLogger,
  })
  const [peer, own] = [
    { limiter: 'rate-limiter-flexible', store: 'memory' } as const,
    { limiter: 'zael', store: 'memory' } as const,
  ]
  return [
    { ...peer, keys: 'one', check: () => flexible.consume('user') },
    { ...own, keys: 'one', check: () => limiter.check('user') },
    { ...own, keys: 'one, denied', check: () => exhausted.check('user') },
    { ...peer, keys: MANY, check: (at) => flexible.consume(keyAt(at)) },
    { ...own, keys: MANY, check: (at) => limiter.check(keyAt(at)) },
  ]
}

const contendersLeased = (limiter: RateLimiter, keyAt: (at: number) => string): readonly Contender[] => {
  const own = { limiter: 'zael', store: 'DynamoDB, leased' } as const
  return [
    { ...own, keys: 'one', check: () => limiter.check('user') },
    { ...own, keys: MANY, check: (at) => limiter.check(keyAt(at)) },
  ]
}

/**
 * Checks that arrive together share a write, which charges a lease for as much as all of them, scaled down if it begins later
 * than 250 ms. A lease is renewed once half of it is left: one of a tenth of this suffices for all rounds.
 */
const TOGETHER = 20

const LEASED = { requests: 4_000_000 }

const MOST_TRIES = 20

/** A lease contains at most a tenth of what is available. */
const VAST = 100 * LARGE

/** Writes per leased check beyond which the rows are not of leased checks. */
const MOST_WRITES = 0.001

/** The longest lifetime that a limit may set. */
const LEASE_SECONDS = 600

/** A limiter on a table, whose leases last for the whole measurement. */
const openLeased = async (engineUrl: string | undefined) => {
  const table = await openBenchTable(engineUrl)
  const { tableName, endpoint } = table
  const connection = { region: 'us-east-1', endpoint, credentials: CREDENTIALS, deadlineMs: DEADLINE_MS }
  const store = dynamoDbStore({ tableName, ...connection })
  let writes = 0
  const limiter = createRateLimiter({
    store,
    limits: [{ name: 'rph', capacity: VAST, refill_rate: VAST / 3600, lease_ttl_seconds: LEASE_SECONDS }],
    leaseTtlMs: LEASE_SECONDS * 1000,
    logger: silentLogger,
    metrics: { count: (name, by = 1) => (writes += name === 'bucket_writes' ? by : 0) },
  })
  return {
    limiter,
    writes: () => writes,
    async leaseAll(keys: readonly string[]): Promise<void> {
      let unleased = keys
      for (let tries = 0; unleased.length > 0 && tries < MOST_TRIES; tries++) {
        await forEachAtOnce(unleased, (key) =>
          Promise.all(Array.from({ length: TOGETHER }, () => limiter.check(key, { cost: LEASED }))),
        )
        const written: string[] = []
        for (const key of unleased) {
          const before = writes
          await limiter.check(key)
          if (writes > before) written.push(key)
        }
        unleased = written
      }
    },
    async close(): Promise<void> {
      await limiter.close()
      store.close()
      await table.close()
    },
  }
}

/** Nothing but checks runs meanwhile: they wait for no timer and no response, so counts of use are not written either. */
const leastCpuOf = async (
  contenders: readonly Contender[],
  { calls, rounds }: ChecksOptions,
): Promise<readonly CheckRow[]> => {
  const least = contenders.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round <= rounds; round++)
    for (const [index, contender] of contenders.entries()) {
      const cpuUs = await cpuUsOf(contender, calls)
      if (round > 0) least[index] = Math.min(least[index] ?? cpuUs, cpuUs)
    }
  return contenders.map(({ check, ...row }, index) => ({ ...row, cpuUs: least[index] ?? 0 }))
}

const cpuUsOf = async ({ check }: Contender, calls: number): Promise<number> => {
  const before = process.cpuUsage()
  for (let at = 0; at < calls; at++) await check(at)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}
