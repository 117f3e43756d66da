import { randomUUID } from 'node:crypto'
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb'
import { parseLimits } from '../src/contract/limits.ts'
import { newEntity } from '../src/core/admin/entities.ts'
import { createLimiter, type Limiter, type LimiterSettings } from '../src/core/decide/limiter.ts'
import type { Entity } from '../src/core/model/entity.ts'
import { type LimitSetKey, limitSetText, policyLimitSet } from '../src/core/model/limit-set.ts'
import type { PolicyKey } from '../src/core/model/policy.ts'
import { type Clock, noMetrics, silentLogger } from '../src/core/ports/platform.ts'
import { lruCaches, newSlotPrefix, sha256, shortPause, systemClock } from '../src/platform/runtime.ts'
import { createDynamoAdminStore } from '../src/store/dynamodb/admin/admin-store.ts'
import { createDynamoBucketStore } from '../src/store/dynamodb/bucket-store.ts'
import { createDynamoClient, type DynamoClient } from '../src/store/dynamodb/client.ts'
import { createDynamoConfigStore } from '../src/store/dynamodb/config-store.ts'
import { ensureTable } from '../src/store/dynamodb/table-definition.ts'
import { createMemoryBucketStore } from '../src/store/memory/bucket-store.ts'
import { type AppliedWrite, type Calls, countCalls, noCalls } from './count-calls.ts'
import { openEngine } from './engine.ts'

export const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' }
/** A benchmark measures durations, so a slow engine on a busy machine must not count as unavailable. */
export const DEADLINE_MS = 30_000
/** Steady state: the configuration is cached. How often it is read again is a setting, not a cost of decisions. */
const CONFIG_CACHE_MS = 3_600_000

/** A limiter as in one server, with its own client and caches. */
export interface BenchNode {
  readonly limiter: Limiter
  readonly calls: Calls
  close(): void
}

export interface NodeOptions {
  readonly settings?: Partial<LimiterSettings>
  /** Receives each write to a bucket. */
  readonly onWrite?: (write: AppliedWrite) => void
}

export interface BenchTable extends Pick<BenchNode, 'calls' | 'limiter'> {
  readonly endpoint: string
  readonly tableName: string
  /** Its calls are not counted. */
  readonly client: DynamoClient
  /** Adds an entity with token buckets: capacity and tokens per second by limit name. */
  addEntity(
    id: string,
    sizes: Readonly<Record<string, readonly [number, number]>>,
    parentId?: string,
  ): Promise<void>
  /** Adds an entity with limits in the API's format. */
  addLimited(id: string, limits: readonly object[], parentId?: string): Promise<void>
  /** Sets the limits of a policy, in the API's format. */
  addPolicy(key: PolicyKey, limits: readonly object[]): Promise<void>
  /** Another node on the same table, with its own `clock`. */
  join(clock: Clock, options?: NodeOptions): Promise<BenchNode>
  close(): Promise<void>
}

/** Opens a new table on its own engine, or on the one at `engineUrl`, with an exact limiter configured as in a server. */
export const openBenchTable = async (engineUrl?: string): Promise<BenchTable> => {
  const tableName = `ZAEL-bench-${randomUUID()}`
  const engine = await openEngine(engineUrl)
  const { endpoint } = engine
  const client = createDynamoClient({ ...CONNECTION, endpoint })
  await ensureTable(client, tableName, { stream: false })
  const join = (clock: Clock, options: NodeOptions = {}) => openNode({ endpoint, tableName }, clock, options)
  const first = await join(systemClock)
  return {
    ...first,
    ...entitiesIn(client, tableName),
    endpoint,
    tableName,
    client,
    join,
    async close() {
      await client.run((sdk) => sdk.send(new DeleteTableCommand({ TableName: tableName })))
      client.close()
      first.close()
      await engine.stop()
    },
  }
}

/** Created long ago: the limits of a new entity are read again each second. */
export const oldEntity = (id: string, parentId: string | null = null): Entity =>
  newEntity({ id, name: id, parentId }, 0n)

const entitiesIn = (
  client: DynamoClient,
  tableName: string,
): Pick<BenchTable, 'addEntity' | 'addLimited' | 'addPolicy'> => {
  const admin = createDynamoAdminStore(client, tableName, systemClock)
  const putLimits = async (key: LimitSetKey, limits: readonly object[]): Promise<void> => {
    const version = systemClock.now()
    const set = { limits: parseLimits(limits, 'limits'), version }
    await admin.putLimitSet(key, set, null, auditOf(limitSetText(key), version))
  }
  const addLimited = async (id: string, limits: readonly object[], parentId?: string): Promise<void> => {
    await admin.createEntity(oldEntity(id, parentId), auditOf(id, systemClock.now()))
    await putLimits({ owner: { kind: 'entity', id }, resource: '_default_' }, limits)
  }
  return {
    addLimited,
    addEntity: (id, sizes, parentId) => addLimited(id, tokenBuckets(sizes), parentId),
    addPolicy: (key, limits) => putLimits(policyLimitSet(key), limits),
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

interface Place {
  readonly endpoint: string
  readonly tableName: string
}

const openNode = async (
  { endpoint, tableName }: Place,
  clock: Clock,
  { settings = {}, onWrite }: NodeOptions,
): Promise<BenchNode> => {
  const client = createDynamoClient({ ...CONNECTION, endpoint })
  const calls = noCalls()
  await client.run(async (sdk) => countCalls(sdk, calls, onWrite))
  return { limiter: limiterOn(client, tableName, clock, settings), calls, close: () => client.close() }
}

const limiterOn = (
  client: DynamoClient,
  tableName: string,
  clock: Clock,
  settings: Partial<LimiterSettings>,
): Limiter =>
  createLimiter({
    buckets: createDynamoBucketStore(client, tableName),
    localBuckets: createMemoryBucketStore(),
    config: createDynamoConfigStore(client, tableName),
    clock,
    logger: silentLogger,
    metrics: noMetrics,
    newCache: lruCaches,
    pause: shortPause,
    slotPrefix: newSlotPrefix(),
    hash: sha256,
    settings: { storeDeadlineMs: DEADLINE_MS, configCacheMs: CONFIG_CACHE_MS, ...settings },
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
