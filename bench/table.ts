import { startEngineThread } from '../bin/embedded/engine-thread.ts'
import { newEntity } from '../src/core/admin/entity-draft.ts'
import { createLimiter } from '../src/core/deciding/create-limiter.ts'
import type { Limiter } from '../src/core/deciding/decision.ts'
import type { LimitSetKey } from '../src/core/limit/limit.ts'
import { parseLimits } from '../src/core/limit/parse-limit.ts'
import { policyLimitSet } from '../src/core/policy/policy.ts'
import type { PolicyKey } from '../src/core/policy/policy-key.ts'
import type { Clock } from '../src/core/ports/clock.ts'
import { silentLogger } from '../src/core/ports/logger.ts'
import { noMetrics } from '../src/core/ports/metrics.ts'
import { limitSetText } from '../src/core/resolving/layers.ts'
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
/** A benchmark asks how fast, not whether in time; nor is a busy machine a store that is away. */
export const DEADLINE_MS = 30_000
/** Steady state: what applies is known. How often it is read again is a setting, not a cost of deciding. */
const CONFIG_CACHE_MS = 3_600_000

/** Calls to the engine so far, by kind. */
export interface Calls {
  writes: number
  reads: number
}

/** A limiter as one server has it: with its own client and caches. */
export interface BenchNode {
  readonly limiter: Limiter
  readonly calls: Calls
  close(): void
}

export interface BenchTable extends Pick<BenchNode, 'calls' | 'limiter'> {
  readonly endpoint: string
  /** Makes an entity with token buckets: capacity and tokens per second by limit name. */
  addEntity(
    id: string,
    sizes: Readonly<Record<string, readonly [number, number]>>,
    parentId?: string,
  ): Promise<void>
  /** Makes an entity with limits as the API takes them. */
  addLimited(id: string, limits: readonly object[], parentId?: string): Promise<void>
  /** Puts limits, as the API takes them, on a policy. */
  addPolicy(key: PolicyKey, limits: readonly object[]): Promise<void>
  /** Another node on the same table, which decides by `clock`. */
  join(clock: Clock): Promise<BenchNode>
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
  await ensureTable(plain, TABLE, { stream: false })
  const first = await openNode(endpoint, systemClock)
  const admin = createDynamoAdminStore(plain, TABLE, systemClock)
  const putLimits = async (key: LimitSetKey, limits: readonly object[]): Promise<void> => {
    const version = systemClock.now()
    const set = { limits: parseLimits(limits, 'limits'), version }
    await admin.putLimitSet(key, set, null, auditOf(limitSetText(key), version))
  }
  const addLimited = async (id: string, limits: readonly object[], parentId?: string): Promise<void> => {
    const now = systemClock.now()
    await admin.createEntity(newEntity({ id, name: id, parentId: parentId ?? null }, now), auditOf(id, now))
    await putLimits({ owner: { kind: 'entity', id }, resource: '_default_' }, limits)
  }
  return {
    ...first,
    endpoint,
    addLimited,
    addEntity: (id, sizes, parentId) => addLimited(id, tokenBuckets(sizes), parentId),
    addPolicy: (key, limits) => putLimits(policyLimitSet(key), limits),
    join: (clock) => openNode(endpoint, clock),
    async close() {
      plain.close()
      first.close()
      await engine.stop()
    },
  }
}

const tokenBuckets = (sizes: Readonly<Record<string, readonly [number, number]>>): readonly object[] =>
  Object.entries(sizes).map(([name, [capacity, refill_rate]]) => ({ name, capacity, refill_rate }))

const CONNECTION = {
  clock: systemClock,
  region: 'us-east-1',
  credentials: CREDENTIALS,
  deadlineMs: DEADLINE_MS,
  maxWaitMs: DEADLINE_MS,
}

const openNode = async (endpoint: string, clock: Clock): Promise<BenchNode> => {
  const client = createDynamoClient({ ...CONNECTION, endpoint })
  const calls: Calls = { writes: 0, reads: 0 }
  await count(client, calls)
  return { limiter: limiterOn(client, clock), calls, close: () => client.close() }
}

const limiterOn = (client: DynamoClient, clock: Clock): Limiter =>
  createLimiter({
    buckets: createDynamoBucketStore(client, TABLE),
    localBuckets: createMemoryBucketStore(),
    config: createDynamoConfigStore(client, TABLE),
    clock,
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
