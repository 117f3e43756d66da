import { setTimeout as pause } from 'node:timers/promises'
import { parseLimits } from '../../src/contract/limits.ts'
import { newEntity } from '../../src/core/admin/entities.ts'
import type { BucketId } from '../../src/core/bucket/bucket-store.ts'
import { createLimiter } from '../../src/core/decide/limiter.ts'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { lruCaches, sha256, shortPause, systemClock } from '../../src/platform/runtime.ts'
import { createMemoryBucketStore } from '../../src/store/memory/bucket-store.ts'

/** A separate process that decides once for each of `keys` keys and prints its memory use. Requires `node --expose-gc`. */
const keys = Number(process.argv[2])
const FLUSH_EVERY_MS = 1000
const MIB = 2 ** 20
/** The system reclaims free memory some time after a collection. */
const COLLECTIONS = 5
const PAUSE_MS = 200

const limits = parseLimits(
  [
    { name: 'rpm', capacity: 1000, refill_rate: 10 },
    { name: 'tpm', capacity: 100_000, refill_rate: 1000 },
  ],
  'limits',
)
const madeAt = systemClock.now()
/** As in bench/table.ts, whose packages would count as memory of the limiter. */
const oldEntity = (id: string) => newEntity({ id, name: id }, 0n)
const stored = createMemoryBucketStore()
let written: BucketId[] = []

/** Buckets outside this process, as in a table: its memory then contains only what the limiter caches per key. */
const limiter = createLimiter({
  buckets: {
    ...stored,
    async write(id, write) {
      const outcome = await stored.write(id, write)
      written.push(id)
      if (written.length >= 1000) forgetWritten()
      return outcome
    },
  },
  localBuckets: createMemoryBucketStore(),
  config: {
    entity: async (id) => oldEntity(id),
    entities: async (ids) => ids.map(oldEntity),
    model: async () => undefined,
    apiKey: async () => undefined,
    limitSets: async (sets) =>
      sets.map(({ owner, resource }) =>
        owner.kind === 'entity' && resource === '_default_' ? { limits, version: madeAt } : undefined,
      ),
  },
  clock: systemClock,
  logger: silentLogger,
  metrics: noMetrics,
  newCache: lruCaches,
  pause: shortPause,
  slotPrefix: 'bench-',
  hash: sha256,
  settings: { leaseTtlMs: 1000 },
})

function forgetWritten(): void {
  for (const id of written) stored.expire(id)
  written = []
}

const collect = globalThis.gc
if (collect === undefined) throw new Error('run with --expose-gc')
const settle = async (): Promise<NodeJS.MemoryUsage> => {
  for (let times = 0; times < COLLECTIONS; times++) {
    collect()
    await pause(PAUSE_MS)
  }
  return process.memoryUsage()
}

const before = await settle()
const started = performance.now()
let flushed = started
for (let key = 0; key < keys; key++) {
  const request = { entityId: `key-${key}`, cost: { requests: 1, tokens: 100 }, settles: false }
  const { allowed } = await limiter.decide(request)
  if (!allowed) throw new Error(`${request.entityId} was denied`)
  if (performance.now() - flushed < FLUSH_EVERY_MS) continue
  await limiter.flush()
  await new Promise(setImmediate)
  flushed = performance.now()
}
const seconds = (performance.now() - started) / 1000
await limiter.flush()
forgetWritten()
const after = await settle()
console.log(
  JSON.stringify({
    keys,
    seconds,
    heapMiB: after.heapUsed / MIB,
    heapBeforeMiB: before.heapUsed / MIB,
    rssBeforeMiB: before.rss / MIB,
    rssMiB: after.rss / MIB,
    mostRssMiB: process.resourceUsage().maxRSS / 1024,
  }),
)
// keeps the limiter reachable until here: otherwise it would be collected before the measurement
await limiter.flush({ all: true })
