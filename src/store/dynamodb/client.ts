import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { StoreUnavailable } from '../../core/model/errors.ts'
import { type Clock, type Logger, silentLogger } from '../../core/ports/platform.ts'
import { createDeadlines, createGate, type Deadlines, type Gate } from './call-limits.ts'
import { type ClockSkew, createClockSkew } from './clock-skew.ts'
import { createFailureLog, type FailureLog, type StoreAddress, toStoreError } from './store-error.ts'

export interface DynamoClientOptions {
  readonly clock: Clock
  readonly logger?: Logger
  /** Where the engine is; AWS, or what the environment says, where left out. */
  readonly endpoint?: NonNullable<DynamoDBClientConfig['endpoint']>
  readonly region?: NonNullable<DynamoDBClientConfig['region']>
  readonly credentials?: NonNullable<DynamoDBClientConfig['credentials']>
  /** How long a call may take once it is sent: 250 ms unless told. */
  readonly deadlineMs?: number
  /** Calls in flight at once: 40 unless told, at most 50. */
  readonly maxInFlight?: number
  /** How long a call may wait for room: 2 s unless told. */
  readonly maxWaitMs?: number
  /** Beyond this difference from the store's clock nothing is decided: 5 s unless told. */
  readonly maxClockSkewMs?: number
  /** For the log. */
  readonly tableName?: string
  /** Shared by clients of the same table, so that a failure is logged once. Default: its own. */
  readonly failureLog?: FailureLog
}

/** A connection to the table's engine. Calls are sent once: whether to repeat one is for the caller to decide. */
export interface DynamoClient {
  /**
   * Runs one call. Throws `StoreUnavailable` where the store is away, slow or refuses; answers about the write
   * itself (failed conditions, a ValidationException) are thrown as the SDK has them.
   */
  run<T>(call: (sdk: DynamoDBClient) => Promise<T>): Promise<T>
  readonly skew: ClockSkew
  address(): Promise<StoreAddress>
  /** Logs an error that was found without a call, and returns it. */
  reported(error: StoreUnavailable): StoreUnavailable
  close(): void
}

/** Connects lazily: the first call opens the first socket; sockets are kept. */
export const createDynamoClient = (options: DynamoClientOptions): DynamoClient => {
  const { clock, logger = silentLogger } = options
  const sdk = new DynamoDBClient({
    maxAttempts: 1,
    cacheMiddleware: true,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.region !== undefined && { region: options.region }),
    ...(options.credentials !== undefined && { credentials: options.credentials }),
  })
  const skew = createClockSkew({ clock, logger, maxClockSkewMs: options.maxClockSkewMs ?? 5000 })
  const deadlines = createDeadlines()
  const gate = createGate({
    width: options.maxInFlight ?? 40,
    maxWaitMs: options.maxWaitMs ?? 2000,
    deadlines,
  })
  const handler = sdk.config.requestHandler
  const deadlineMs = options.deadlineMs ?? 250
  const guard = { gate, deadlines, deadlineMs, skew, clock }
  Object.assign(handler, { handle: guardRequests(handler.handle.bind(handler), guard) })

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

const addressOf = async (
  sdk: DynamoDBClient,
  { tableName = 'unknown', endpoint }: DynamoClientOptions,
): Promise<StoreAddress> => ({
  table: tableName,
  // the SDK throws where none is configured
  region: await sdk.config.region().catch(() => 'none'),
  ...(typeof endpoint === 'string' && { endpoint }),
})

/** What sends a signed request, as the SDK has it. */
export type SendRequest<Request, Answer> = (
  request: Request,
  options?: { readonly abortSignal?: AbortSignal },
) => Promise<Answer>

/**
 * Stands between the SDK and the network, where a call is really sent: waits for room, starts the deadline (it ends
 * with the answer's body), and reads the store's clock off the answer.
 */
export const guardRequests =
  <Request, Answer>(
    send: SendRequest<Request, Answer>,
    guard: {
      readonly gate: Gate
      readonly deadlines: Deadlines
      readonly deadlineMs: number
      readonly skew: ClockSkew
      readonly clock: Clock
    },
  ): SendRequest<Request, Answer> =>
  async (request, options) => {
    const leave = await guard.gate.enter()
    const abort = new AbortController()
    const stop = guard.deadlines.start(guard.deadlineMs, () => abort.abort())
    const over = (): void => {
      stop()
      leave()
    }
    try {
      const sentAt = guard.clock.now()
      const answer = await send(request, { ...options, abortSignal: abort.signal })
      const { date, body } = partsOf(answer)
      guard.skew.observe(sentAt, guard.clock.now(), date)
      if (body === undefined) over()
      else body.once('close', over)
      return answer
    } catch (error) {
      over()
      throw error
    }
  }

interface Body {
  once(event: 'close', listener: () => void): unknown
}

const partsOf = (answer: unknown): { readonly date: string | undefined; readonly body: Body | undefined } => {
  const response = field(answer, 'response')
  const date = field(field(response, 'headers'), 'date')
  const body = field(response, 'body')
  return { date: typeof date === 'string' ? date : undefined, body: isOpenBody(body) ? body : undefined }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

const isOpenBody = (body: unknown): body is Body =>
  typeof field(body, 'once') === 'function' && field(body, 'closed') === false
