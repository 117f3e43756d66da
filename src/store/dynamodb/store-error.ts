import type { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb'
import { StoreUnavailable } from '../../core/model/errors.ts'
import { createOnceAMinute } from '../../core/ports/once-a-minute.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'

/** Errors that report the outcome of a write, not the state of the store. Callers check their names. */
const WRITE_OUTCOMES: ReadonlySet<string> = new Set([
  'ConditionalCheckFailedException',
  'TransactionCanceledException',
  'ValidationException',
  'UnknownOperationException',
])

/** By name: the SDK's classes are loaded later than the stores. */
export const isFailedCondition = (error: unknown): error is ConditionalCheckFailedException =>
  error instanceof Error && error.name === 'ConditionalCheckFailedException'

/** Whether the condition of a write held. Throws every other error of the write. */
export const conditionHolds = async (write: Promise<unknown>): Promise<boolean> => {
  try {
    await write
    return true
  } catch (error) {
    if (isFailedCondition(error)) return false
    throw error
  }
}

export const isCanceledTransaction = (error: unknown): error is TransactionCanceledException =>
  error instanceof Error && error.name === 'TransactionCanceledException'

/** Faults after which no request can have reached the store. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EMFILE',
  'CredentialsProviderError',
])

/**
 * Errors for exceeding the throughput of an item, a table or the account.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
const THROTTLED: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
])

const TOO_MANY_REQUESTS = 429

const OUT_OF_TIME: ReadonlySet<string> = new Set(['AbortError', 'TimeoutError'])

/** Messages of DynamoDB for a call with other key attributes than those of the table. */
const KEY_SCHEMA_ERRORS = /key element does not match the schema|missed key schema element|missing the key/i

/** The SDK throws a plain `Error` before it sends a request. */
const NO_REGION = /^Region is missing/

const LONGEST_REASON = 300

interface Fault {
  readonly name?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly syscall?: unknown
  readonly $fault?: unknown
  readonly $retryable?: { readonly throttling?: unknown }
  readonly $metadata?: { readonly httpStatusCode?: unknown }
}

/**
 * Converts an error of the SDK: the outcome of a write is returned unchanged, everything else becomes `StoreUnavailable`.
 * DynamoDB responds with 4xx (throttled, limit exceeded, no such table, no permission) before it applies anything; after a 5xx
 * or a lost response the write may have been applied.
 */
export const toStoreError = (error: unknown): unknown => {
  if (error instanceof StoreUnavailable || !isFault(error)) return error
  if (isWriteOutcome(error) || isProgrammingError(error)) return error
  return new StoreUnavailable(messageFor(error), {
    mayHaveApplied: !certainlyNotApplied(error),
    isThrottled: isThrottled(error),
    reason: reasonOf(error),
    cause: error,
  })
}

const isWriteOutcome = (fault: Fault): boolean =>
  isText(fault.name) && WRITE_OUTCOMES.has(fault.name) && !isKeySchemaError(fault)

/** The table has other key attributes: no call can succeed. */
const isKeySchemaError = ({ name, message }: Fault): boolean =>
  name === 'ValidationException' && isText(message) && KEY_SCHEMA_ERRORS.test(message)

/**
 * The name of the error and the first line of its message. Further lines are left out: after a signature mismatch, DynamoDB
 * repeats the signed headers there, including the session token.
 */
const reasonOf = (fault: Fault): string => {
  if (isText(fault.name) && OUT_OF_TIME.has(fault.name)) return 'no response in time'
  const [line = ''] = isText(fault.message) ? fault.message.split('\n') : []
  const name = [fault.name, fault.code].find((word) => isText(word) && word !== 'Error')
  const parts = [name, line.slice(0, LONGEST_REASON)].filter(isText)
  return parts.length === 0 ? 'unknown fault' : parts.join(': ')
}

const isFault = (error: unknown): error is Fault => typeof error === 'object' && error !== null

const certainlyNotApplied = (fault: Fault): boolean => {
  const status = statusOf(fault)
  if (status !== undefined) return status >= 400 && status < 500
  return (
    fault.syscall === 'connect' ||
    (isText(fault.message) && NO_REGION.test(fault.message)) ||
    [fault.code, fault.name].some((word) => isText(word) && NEVER_SENT.has(word))
  )
}

/** By the name, the SDK's classification or the status, so that new names are recognized as well. */
const isThrottled = (fault: Fault): boolean =>
  (isText(fault.name) && THROTTLED.has(fault.name)) ||
  fault.$retryable?.throttling === true ||
  statusOf(fault) === TOO_MANY_REQUESTS

const statusOf = (fault: Fault): number | undefined => {
  const status = fault.$metadata?.httpStatusCode
  if (typeof status === 'number') return status
  // an error of the service without its status
  return fault.$fault === 'client' ? 400 : undefined
}

/** A fault of the code, not of the network or the service; it is thrown unchanged. */
const isProgrammingError = (fault: Fault): boolean =>
  statusOf(fault) === undefined &&
  fault.code === undefined &&
  (fault instanceof TypeError || fault instanceof RangeError)

const messageFor = (fault: Fault): string => {
  if (isText(fault.name) && OUT_OF_TIME.has(fault.name)) return 'The store did not respond in time'
  const word = [fault.code, fault.name].find(isText)
  return `The store is unavailable: ${word ?? 'unknown fault'}`
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** The destination of calls, for logs. */
export interface StoreAddress {
  readonly table: string
  readonly region: string
  readonly endpoint?: string
}

/** Logs failed calls to the store: the first one, then at most one line a minute. */
export interface FailureLog {
  failed(error: StoreUnavailable, address: () => Promise<StoreAddress>): void
}

/**
 * A failure log, which several clients of one table may share. Throttled calls are logged apart, as warnings, because the store
 * is available.
 */
export const createFailureLog = (clock: Clock, logger: Logger): FailureLog => {
  const unavailable = createOnceAMinute(clock)
  const throttled = createOnceAMinute(clock)
  return {
    failed(error, address) {
      const sampled = error.isThrottled ? throttled : unavailable
      sampled(async (failures) => {
        const fields = { ...(await address()), reason: error.reason, failures }
        if (error.isThrottled) logger.warn('store throttled', fields)
        else logger.error('store unavailable', fields)
      })
    },
  }
}
