import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { errorMessage, StoreUnavailable } from '../../core/model/errors.ts'
import { type Clock, type Logger, silentLogger } from '../../core/ports/platform.ts'
import { sharedRead } from '../../core/ports/shared-read.ts'
import { createCallQueue, createDeadlines } from './call-limits.ts'
import { type ClockSkew, createClockSkew } from './clock-skew.ts'
import type { Commands, RequestRules, Sdk, SdkAddress } from './sdk.ts'
import { createFailureLog, type FailureLog, type StoreAddress, toStoreError } from './store-error.ts'

export interface DynamoClientOptions extends SdkAddress {
  readonly clock: Clock
  readonly logger?: Logger
  /** The longest duration of a call after it is sent. Default 250 ms. */
  readonly deadlineMs?: number
  /** The most calls in flight. Default 40, at most 50. */
  readonly maxInFlight?: number
  /** The longest wait of a call in the queue. Default 2 s. */
  readonly maxWaitMs?: number
  /** The greatest difference from the clock of the store; beyond it, no decisions are made. Default 5 s. */
  readonly maxClockSkewMs?: number
  /** For the log. */
  readonly tableName?: string
  /** Shared by clients of the same table, so that a failure is logged once. Default: its own. */
  readonly failureLog?: FailureLog
  /** Loads the SDK. Default: by `import`. */
  readonly loadSdk?: () => Promise<Pick<typeof import('./sdk.ts'), 'openSdk'>>
}

/** A connection to the engine of the table. Calls are sent once; the caller decides about retries. */
export interface DynamoClient {
  /**
   * Runs one call. Throws `StoreUnavailable` if the store is unavailable, slow, or rejects the call; errors that report the
   * outcome of a write (a failed condition, a ValidationException) are thrown unchanged.
   */
  run<T>(call: (sdk: DynamoDBClient, commands: Commands) => Promise<T>): Promise<T>
  readonly skew: ClockSkew
  address(): Promise<StoreAddress>
  /** Logs an error that did not come from a call, and returns it. */
  reported(error: StoreUnavailable): StoreUnavailable
  close(): void
}

/**
 * Loads the SDK in the background, and opens no connection before the first call. A call that comes earlier waits for the SDK, before
 * its deadline begins; if the SDK cannot be loaded, it fails as unavailable, and the next call tries again.
 */
export const createDynamoClient = (options: DynamoClientOptions): DynamoClient => {
  const { clock, logger = silentLogger } = options
  const rules = rulesOf(options)
  const sdk = createLazySdk(options, rules)
  const failureLog = options.failureLog ?? createFailureLog(clock, logger)
  const address = (): Promise<StoreAddress> => addressOf(sdk, options)
  const reported = (error: StoreUnavailable): StoreUnavailable => {
    failureLog.failed(error, address)
    return error
  }
  return {
    async run(call) {
      try {
        const { client, commands } = sdk.current() ?? (await sdk.load())
        return await call(client, commands)
      } catch (error) {
        const thrown = toStoreError(error)
        throw thrown instanceof StoreUnavailable ? reported(thrown) : thrown
      }
    },
    skew: rules.skew,
    address,
    reported,
    close: sdk.close,
  }
}

const rulesOf = (options: DynamoClientOptions): RequestRules => {
  const { clock, logger = silentLogger, deadlineMs = 250, maxClockSkewMs = 5000 } = options
  const { maxInFlight = 40, maxWaitMs = 2000 } = options
  const deadlines = createDeadlines()
  return {
    clock,
    deadlines,
    deadlineMs,
    queue: createCallQueue({ maxInFlight, maxWaitMs, deadlines }),
    skew: createClockSkew({ clock, logger, maxClockSkewMs }),
  }
}

interface LazySdk {
  /** Undefined until it is loaded. */
  current(): Sdk | undefined
  /** Throws `StoreUnavailable` (not applied) if the SDK cannot be loaded. */
  load(): Promise<Sdk>
  close(): void
}

/**
 * The SDK is a third of the code that a process loads; a Lambda is ready for its first request without it (decision 062).
 * Loading begins when the modules that create the client have run.
 */
const createLazySdk = (options: DynamoClientOptions, rules: RequestRules): LazySdk => {
  const { loadSdk = () => import('./sdk.ts') } = options
  let opened: Sdk | undefined
  let isClosed = false
  const load = sharedRead(async () => {
    const { openSdk } = await loadSdk().catch((cause: unknown) => {
      throw notLoaded(cause)
    })
    opened = openSdk(options, rules)
    if (isClosed) opened.client.destroy()
    return opened
  })
  // Not at once: Node 24 would load the SDK before the handler. The call that needs it reports an error.
  setImmediate(() => {
    if (!isClosed) load().catch(() => {})
  })
  return {
    current: () => opened,
    load,
    close() {
      isClosed = true
      opened?.client.destroy()
    },
  }
}

const notLoaded = (cause: unknown): StoreUnavailable =>
  new StoreUnavailable('The AWS SDK could not be loaded', {
    mayHaveApplied: false,
    reason: `the AWS SDK could not be loaded: ${errorMessage(cause)}`,
    cause,
  })

const addressOf = async (
  sdk: LazySdk,
  { tableName = 'unknown', endpoint }: DynamoClientOptions,
): Promise<StoreAddress> => ({
  table: tableName,
  // the SDK throws if none is configured
  region: await sdk
    .load()
    .then(({ client }) => client.config.region())
    .catch(() => 'none'),
  ...(typeof endpoint === 'string' && { endpoint }),
})
