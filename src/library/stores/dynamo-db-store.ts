import type { DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { invalid, StoreUnavailable, ZaelError } from '../../core/model/errors.ts'
import { type Logger, silentLogger } from '../../core/ports/platform.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { systemClock } from '../../platform/runtime.ts'
import { createDynamoBucketStore } from '../../store/dynamodb/bucket-store.ts'
import { createDynamoClient, type DynamoClientOptions } from '../../store/dynamodb/client.ts'
import { createDynamoConfigStore } from '../../store/dynamodb/config-store.ts'
import { checkOptions, type OptionNames } from '../arguments.ts'
import type { LimiterStore } from './memory-store.ts'

export interface DynamoDbStoreOptions {
  /** `ZAEL-<name>` for the table of a deployed zael. */
  readonly tableName: string
  /** `region`, `endpoint` and `credentials` as in the SDK; if left out, the SDK finds them. */
  readonly region?: NonNullable<DynamoDBClientConfig['region']>
  readonly endpoint?: NonNullable<DynamoDBClientConfig['endpoint']>
  readonly credentials?: NonNullable<DynamoDBClientConfig['credentials']>
  /**
   * A client whose region, endpoint and credentials are used. The calls use a separate client without retries, because a charge
   * that is sent twice is charged twice.
   */
  readonly client?: Pick<DynamoDBClient, 'config'>
  /** The longest duration of a call after it is sent. Default 250 ms. */
  readonly deadlineMs?: number
  /** The greatest difference between the clocks of the machine and of DynamoDB; beyond it, no decisions are made. Default 5 s. */
  readonly maxClockSkewMs?: number
  readonly logger?: Logger
}

export interface DynamoDbStore extends Required<LimiterStore> {
  /**
   * Creates the table if it is missing, without a stream (only the aggregator of a deployed zael needs one). Requires the
   * permission to. Throws `ZaelError`: `unavailable` with table, region and the reason of AWS, `conflict` for a table of that
   * name with other keys.
   */
  createTable(): Promise<'created' | 'exists'>
}

/** The creation of a table takes longer than a decision may. */
const PREPARING_DEADLINE_MS = 5_000

/**
 * Buckets in a DynamoDB table, shared by any number of processes. Connects with the first decision.
 * IAM: GetItem, BatchGetItem, Query and UpdateItem on the table.
 *
 * @example
 * const store = dynamoDbStore({ tableName: 'ZAEL-demo', region: 'eu-central-1' })
 */
export const dynamoDbStore = (options: DynamoDbStoreOptions): DynamoDbStore => {
  const connection = checkedConnection(options)
  const { tableName } = options
  const client = createDynamoClient(connection)
  return {
    buckets: createDynamoBucketStore(client, tableName),
    config: createDynamoConfigStore(client, tableName),
    table: tableText(options),
    async createTable() {
      // with the SDK, which a Lambda must not load before its handler
      const { ensureTable } = await import('../../store/dynamodb/table-definition.ts')
      // silent: the caller gets the error
      const preparing = createDynamoClient({
        ...connection,
        logger: silentLogger,
        deadlineMs: PREPARING_DEADLINE_MS,
      })
      try {
        return await ensureTable(preparing, tableName, { stream: false })
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error
        const { region } = await preparing.address()
        const message = `table ${tableName} in region ${region} cannot be created or used: ${error.reason}`
        throw new ZaelError('unavailable', message, { cause: error })
      } finally {
        preparing.close()
      }
    },
    close: () => client.close(),
  }
}

export const DYNAMO_DB_STORE_OPTIONS: OptionNames<DynamoDbStoreOptions> = {
  tableName: true,
  region: true,
  endpoint: true,
  credentials: true,
  client: true,
  deadlineMs: true,
  maxClockSkewMs: true,
  logger: true,
}

/** A name or an ARN: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html */
const TABLE_NAME = /^[\w.:/-]{1,1024}$/

const checkDynamoDbStoreOptions = (options: DynamoDbStoreOptions): void => {
  checkOptions<DynamoDbStoreOptions>(options, DYNAMO_DB_STORE_OPTIONS)
  const { tableName, client, deadlineMs, maxClockSkewMs } = options
  if (typeof tableName !== 'string' || !TABLE_NAME.test(tableName)) {
    throw invalid('tableName', 'be the name or the ARN of a table')
  }
  if (client !== undefined && typeof client?.config !== 'object')
    throw invalid('client', 'be a DynamoDBClient')
  for (const [name, ms] of Object.entries({ deadlineMs, maxClockSkewMs })) {
    if (ms !== undefined && !(typeof ms === 'number' && ms > 0))
      throw invalid(name, 'be a number of ms above 0')
  }
}

/** Identifies the table by the options alone: what the SDK reads from the environment is equal for all stores of a process. */
const tableText = ({ tableName, region, endpoint, client }: DynamoDbStoreOptions): string =>
  [region, endpoint].some((part) => typeof part === 'function') || client !== undefined
    ? tableName
    : [tableName, region, endpoint && JSON.stringify(endpoint)].filter(Boolean).join(' ')

/** The connection that the options describe. Throws `ZaelError('invalid_request')` that names the invalid one. */
export const checkedConnection = (options: DynamoDbStoreOptions): DynamoClientOptions => {
  checkDynamoDbStoreOptions(options)
  return connectionOf(options)
}

const connectionOf = ({ client, logger, ...own }: DynamoDbStoreOptions): DynamoClientOptions => ({
  ...(client && addressedBy(client)),
  ...own,
  clock: systemClock,
  logger: logger ?? createConsoleLogger('info'),
})

const addressedBy = ({ config }: Pick<DynamoDBClient, 'config'>) => ({
  region: config.region,
  credentials: config.credentials,
  ...(config.endpoint !== undefined && { endpoint: config.endpoint }),
})
