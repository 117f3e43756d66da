import { startEngineThread } from '../bin/embedded/engine-thread.ts'
import { newEntity } from '../src/core/admin/entity-draft.ts'
import { createLimiter } from '../src/core/deciding/create-limiter.ts'
import type { Limiter } from '../src/core/deciding/decision.ts'
import { parseLimits } from '../src/core/limit/parse-limit.ts'
import { silentLogger } from '../src/core/ports/logger.ts'
import { noMetrics } from '../src/core/ports/metrics.ts'
import { lruCaches } from '../src/platform/lru-caches.ts'
import { shortPause } from '../src/platform/short-pause.ts'
import { systemClock } from '../src/platform/system-clock.ts'
import { createDynamoClient, type DynamoClient } from '../src/store/dynamodb/client.ts'
import { createDynamoAdminStore, createDynamoConfigStore } from '../src/store/dynamodb/dynamo-admin-store.ts'
import { createDynamoBucketStore } from '../src/store/dynamodb/dynamo-bucket-store.ts'
import { ensureTable } from '../src/store/dynamodb/table-definition.ts'
import { createMemoryBucketStore } from '../src/store/memory/memory-bucket-store.ts'

export const TABLE = 'ZAEL-bench'
export const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' }
/** A benchmark asks how fast, not whether in time. */
const DEADLINE_MS = 30_000
/** Steady state: what applies is known. How often it is read again is a setting, not a cost of deciding. */
const CONFIG_CACHE_MS = 3_600_000

/** Calls to the engine so far, by kind. */
export interface Calls {
  writes: number
  reads: number
}

export interface BenchTable {
  readonly endpoint: string
  readonly calls: Calls
  readonly limiter: Limiter
  /** Makes an entity with token buckets: capacity and tokens per second by limit name. */
  addEntity(
    id: string,
    sizes: Readonly<Record<string, readonly [number, number]>>,
    parentId?: string,
  ): Promise<void>
  close(): Promise<void>
}

/** An engine of its own with a table, and the limiter on it as a server runs it. */
export const openBenchTable = async (): Promise<BenchTable> => {
  const options = { port: 0, dataDir: undefined, tableName: TABLE }
  const engine = await startEngineThread(options, {
    onRecords: () => {},
    onFailure: (error) => console.error(error),
  })
  const { endpoint } = engine
  const plain = createDynamoClient({ ...CONNECTION, endpoint })
  const counted = createDynamoClient({ ...CONNECTION, endpoint })
  const calls: Calls = { writes: 0, reads: 0 }
  await count(counted, calls)
  await ensureTable(plain, TABLE, { stream: false })
  const admin = createDynamoAdminStore(plain, TABLE, systemClock)
  return {
    endpoint,
    calls,
    limiter: limiterOn(counted),
    async addEntity(id, sizes, parentId) {
      const json = Object.entries(sizes).map(([name, [capacity, refill_rate]]) => ({
        name,
        capacity,
        refill_rate,
      }))
      const limits = parseLimits(json, 'limits')
      const version = systemClock.now()
      const key = { owner: { kind: 'entity', id } as const, resource: '_default_' }
      await admin.createEntity(
        newEntity({ id, name: id, parentId: parentId ?? null }, version),
        auditOf(id, version),
      )
      await admin.putLimitSet(key, { limits, version }, null, auditOf(id, version))
    },
    async close() {
      plain.close()
      counted.close()
      await engine.stop()
    },
  }
}

const CONNECTION = {
  clock: systemClock,
  region: 'us-east-1',
  credentials: CREDENTIALS,
  deadlineMs: DEADLINE_MS,
  maxWaitMs: DEADLINE_MS,
}

const limiterOn = (client: DynamoClient): Limiter =>
  createLimiter({
    buckets: createDynamoBucketStore(client, TABLE),
    localBuckets: createMemoryBucketStore(),
    config: createDynamoConfigStore(client, TABLE),
    clock: systemClock,
    logger: silentLogger,
    metrics: noMetrics,
    newCache: lruCaches,
    pause: shortPause,
    settings: { storeDeadlineMs: DEADLINE_MS, configCacheMs: CONFIG_CACHE_MS },
  })

/** Counts each call as it is sent, beside everything that is measured. */
const count = (client: DynamoClient, calls: Calls): Promise<void> =>
  client.run(async (sdk) => {
    sdk.middlewareStack.add(
      (next, { commandName = '' }) =>
        (args) => {
          if (commandName.startsWith('Update')) calls.writes++
          else calls.reads++
          return next(args)
        },
      { step: 'initialize', name: 'countCalls' },
    )
  })

const auditOf = (subject: string, at: bigint) => ({
  id: subject,
  at,
  actor: 'bench',
  action: 'bench.prepare',
  subject,
  before: null,
  after: null,
})
