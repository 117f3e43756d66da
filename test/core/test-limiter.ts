import type { BucketStore } from '../../src/core/bucket/bucket-store.ts'
import {
  createLimiter,
  type Limiter,
  type LimiterDependencies,
  type LimiterSettings,
} from '../../src/core/decide/limiter.ts'
import {
  type CacheFactory,
  type Clock,
  type MetricName,
  silentLogger,
} from '../../src/core/ports/platform.ts'
import { sha256 } from '../../src/platform/runtime.ts'
import { createMemoryBucketStore } from '../../src/store/memory/bucket-store.ts'
import { createTestClock, type TestClock } from './test-clock.ts'
import { createTestConfig, type TestConfig } from './test-config.ts'

export const newMapCache: CacheFactory = <V extends object>() => new Map<string, V>()

export interface TestNode {
  readonly limiter: Limiter
  /** The counts of this node so far. */
  readonly counts: Readonly<Partial<Record<MetricName, number>>>
}

let nodes = 0

/** One node: a limiter on a table shared by all nodes. */
export const createTestNode = (parts: {
  readonly buckets: BucketStore
  readonly config: TestConfig
  readonly clock: Clock
  readonly settings?: Partial<LimiterSettings>
  readonly pause?: LimiterDependencies['pause']
}): TestNode => {
  const counts: Partial<Record<MetricName, number>> = {}
  const limiter = createLimiter({
    pause: async () => {},
    hash: sha256,
    ...parts,
    localBuckets: createMemoryBucketStore(),
    logger: silentLogger,
    metrics: {
      count(name, by = 1) {
        counts[name] = (counts[name] ?? 0) + by
      },
    },
    newCache: newMapCache,
    slotPrefix: `node${++nodes}-`,
  })
  return { limiter, counts }
}

export interface TestWorld {
  readonly buckets: ReturnType<typeof createMemoryBucketStore>
  readonly config: TestConfig
  readonly clock: TestClock
  readonly node: TestNode
  /** Another node on the same table. */
  join(settings?: Partial<LimiterSettings>): TestNode
}

export const createTestWorld = (settings: Partial<LimiterSettings> = {}): TestWorld => {
  const buckets = createMemoryBucketStore()
  const config = createTestConfig()
  const clock = createTestClock()
  const join = (own: Partial<LimiterSettings> = settings) =>
    createTestNode({ buckets, config, clock, settings: own })
  return { buckets, config, clock, node: join(), join }
}

/** A node on the world's table whose clock is some seconds off. */
export const nodeOff = ({ buckets, config, clock }: TestWorld, seconds: number): TestNode => {
  const off = BigInt(Math.round(seconds * 1e9))
  return createTestNode({
    buckets,
    config,
    clock: { now: () => clock.now() + off, monotonic: clock.monotonic },
  })
}
