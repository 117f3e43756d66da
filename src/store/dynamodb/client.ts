import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { StoreUnavailable } from '../../core/model/errors.ts'
import { type Clock, type Logger, silentLogger } from '../../core/ports/platform.ts'
import { type CallQueue, createCallQueue, createDeadlines, type Deadlines } from './call-limits.ts'
import { type ClockSkew, createClockSkew } from './clock-skew.ts'
import { usePlainJson } from './plain-json.ts'
import { createFailureLog, type FailureLog, type StoreAddress, toStoreError } from './store-error.ts'

export interface DynamoClientOptions {
  readonly clock: Clock
  readonly logger?: Logger
  /** Default: that of the environment, else AWS. */
  readonly endpoint?: NonNullable<DynamoDBClientConfig['endpoint']>
  readonly region?: NonNullable<DynamoDBClientConfig['region']>
  readonly credentials?: NonNullable<DynamoDBClientConfig['credentials']>
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
}

/** A connection to the engine of the table. Calls are sent once; the caller decides about retries. */
export interface DynamoClient {
  /**
   * Runs one call. Throws `StoreUnavailable` if the store is unavailable, slow, or rejects the call; errors that report the
   * outcome of a write (a failed condition, a ValidationException) are thrown unchanged.
   */
  run<T>(call: (sdk: DynamoDBClient) => Promise<T>): Promise<T>
  readonly skew: ClockSkew
  address(): Promise<StoreAddress>
  /** Logs an error that did not come from a call, and returns it. */
  reported(error: StoreUnavailable): StoreUnavailable
  close(): void
}

/** Connects with the first call. Sockets are kept open. The work of the SDK that is left out, and why: decision 061. */
export const createDynamoClient = (options: DynamoClientOptions): DynamoClient => {
  const { clock, logger = silentLogger } = options
  const sdk = new DynamoDBClient({
    retryStrategy: SENT_ONCE,
    cacheMiddleware: true,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.region !== undefined && { region: options.region }),
    ...(options.credentials !== undefined && { credentials: options.credentials }),
  })
  saveWork(sdk)
  usePlainJson(sdk)
  const skew = createClockSkew({ clock, logger, maxClockSkewMs: options.maxClockSkewMs ?? 5000 })
  const deadlines = createDeadlines()
  const queue = createCallQueue({
    maxInFlight: options.maxInFlight ?? 40,
    maxWaitMs: options.maxWaitMs ?? 2000,
    deadlines,
  })
  addRequestRules(sdk, { queue, deadlines, deadlineMs: options.deadlineMs ?? 250, skew, clock })

  const failureLog = options.failureLog ?? createFailureLog(clock, logger)
  const address = (): Promise<StoreAddress> => addressOf(sdk, options)
  const reported = (error: StoreUnavailable): StoreUnavailable => {
    failureLog.failed(error, address)
    return error
  }
  return {
    async run(call) {
      try {
        return await call(sdk)
      } catch (error) {
        const thrown = toStoreError(error)
        throw thrown instanceof StoreUnavailable ? reported(thrown) : thrown
      }
    },
    skew,
    address,
    reported,
    close: () => sdk.destroy(),
  }
}

/** The caller decides about retries. Unlike the default with one attempt, it makes no id for each request. */
const SENT_ONCE: NonNullable<DynamoDBClientConfig['retryStrategy']> = { retry: (next, args) => next(args) }

/**
 * Leaves out work of the SDK that has no effect here, a tenth of its CPU time per write: copies of inputs and outputs for a logger
 * that discards them, and a new signer per request from a copy of the whole configuration. Region, credentials, time and
 * service are arguments or providers of the signer, so one signer serves all requests.
 */
const saveWork = ({ middlewareStack, config }: DynamoDBClient): void => {
  middlewareStack.remove('loggerMiddleware')
  const newSigner = config.signer
  let signer: ReturnType<typeof newSigner> | undefined
  config.signer = (scheme) => {
    signer ??= newSigner(scheme).catch((error: unknown) => {
      signer = undefined
      throw error
    })
    return signer
  }
}

const addressOf = async (
  sdk: DynamoDBClient,
  { tableName = 'unknown', endpoint }: DynamoClientOptions,
): Promise<StoreAddress> => ({
  table: tableName,
  // the SDK throws if none is configured
  region: await sdk.config.region().catch(() => 'none'),
  ...(typeof endpoint === 'string' && { endpoint }),
})

/** The requests of one client: how many at once, how long each may take, and the clock of the store. */
interface RequestRules {
  readonly queue: CallQueue
  readonly deadlines: Deadlines
  readonly deadlineMs: number
  readonly skew: ClockSkew
  readonly clock: Clock
}

/** A signal without the cost of an `AbortController` and its event target, 2 % of a write; the SDK accepts both. */
interface Abortable {
  aborted: boolean
  /** Set by the handler of requests. */
  onabort: (() => void) | null
}

const abort = (signal: Abortable): void => {
  signal.aborted = true
  signal.onabort?.()
}

/**
 * Adds two steps around the SDK's parser of responses. The outer one waits for room in the queue, then limits the time until
 * the body is read. The inner one takes the place of the SDK's last step, which accepts an abort signal only as an option of
 * a call: a call with options bypasses the SDK's cache of resolved middleware, which costs a quarter of its CPU time.
 */
const addRequestRules = (
  { middlewareStack, config: { requestHandler } }: DynamoDBClient,
  { queue, deadlines, deadlineMs, skew, clock }: RequestRules,
): void => {
  const signals = new WeakMap<object, Abortable>()
  middlewareStack.add(
    (next) => async (args) => {
      const leave = await queue.enter()
      const signal: Abortable = { aborted: false, onabort: null }
      const stop = deadlines.start(deadlineMs, () => abort(signal))
      if (isObject(args.request)) signals.set(args.request, signal)
      try {
        return await next(args)
      } finally {
        stop()
        leave()
      }
    },
    { name: 'limitTimeAndConcurrency', step: 'deserialize', priority: 'high' },
  )
  middlewareStack.add(
    () =>
      async ({ request }) => {
        const abortSignal = isObject(request) ? signals.get(request) : undefined
        const sentAt = clock.now()
        const sent = await requestHandler.handle(request, abortSignal && { abortSignal })
        skew.observe(sentAt, clock.now(), dateOf(sent.response))
        return sent
      },
    { name: 'sendAndReadClock', step: 'deserialize', priority: 'low' },
  )
}

/** The `Date` header of a response. */
const dateOf = (response: unknown): string | undefined => {
  const headers = isObject(response) ? Reflect.get(response, 'headers') : undefined
  const date = isObject(headers) ? Reflect.get(headers, 'date') : undefined
  return typeof date === 'string' ? date : undefined
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
