import { type AllowedContext, SETTLING_TABLE } from '../../contract/authorizer.ts'
import { createReservationService } from '../../core/admin/reservations.ts'
import { createLimiter, type Limiter } from '../../core/decide/limiter.ts'
import { errorMessage, invalid, StoreUnavailable, ZaelError } from '../../core/model/errors.ts'
import type { Cost } from '../../core/model/meter.ts'
import { type Logger, noMetrics } from '../../core/ports/platform.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { lruCaches, newSlotPrefix, sha256, shortPause, systemClock } from '../../platform/runtime.ts'
import { createDynamoBucketStore } from '../../store/dynamodb/bucket-store.ts'
import { createDynamoClient, type DynamoClient } from '../../store/dynamodb/client.ts'
import { createDynamoConfigStore } from '../../store/dynamodb/config-store.ts'
import { createDynamoReservationStore } from '../../store/dynamodb/reservation-store.ts'
import { createMemoryBucketStore } from '../../store/memory/bucket-store.ts'
import { checkedActualCost, invalidArgument } from '../arguments.ts'
import { checkedConnection, type DynamoDbStoreOptions } from '../stores/dynamo-db-store.ts'
import { textAt } from './event-fields.ts'

/** What became of the reservation of a request. */
export interface ContextSettlement {
  /** Whether this call ended it. */
  readonly settled: boolean
  /**
   * `settled` and `released`: ended, by this call or an earlier one. `expired`: it stays charged as reserved. `none`: the
   * authorizer reserved nothing for this request, or not in this table. `unavailable`: the table is; it stays charged as reserved.
   */
  readonly state: 'settled' | 'released' | 'expired' | 'none' | 'unavailable'
}

/** Settles what `ZaelAuthorizer` reserved, in the table of one zael. */
export interface ContextSettler {
  /** See `settleFromContext`. */
  settle(event: unknown, actual: Cost): Promise<ContextSettlement>
  /** Refunds all of it: the request was not served. */
  release(event: unknown): Promise<ContextSettlement>
  /** Closes connections. */
  close(): void
}

/** `tableName`: default the variable `ZAEL_TABLE_NAME`. `deadlineMs`: default 1000, as the first call opens a connection. */
export type ContextSettlerOptions = Omit<DynamoDbStoreOptions, 'tableName'> &
  Pick<Partial<DynamoDbStoreOptions>, 'tableName'>

const DEADLINE_MS = 1000

/**
 * A settler for functions that name the table themselves. Connects with the first settlement; create one per process.
 * Throws `ZaelError('invalid_request')` that names the invalid option.
 */
export const createContextSettler = (options: ContextSettlerOptions = {}): ContextSettler => {
  const logger = options.logger ?? createConsoleLogger('info')
  const tableName = options.tableName ?? globalThis.process?.env[SETTLING_TABLE]
  if (tableName === undefined) {
    throw invalid('tableName', `be given, or be in ${SETTLING_TABLE}: ZaelAuthorizer.grantSettle sets it`)
  }
  const client = createDynamoClient(
    checkedConnection({ deadlineMs: DEADLINE_MS, ...options, tableName, logger }),
  )
  const limiter = createSettlingLimiter(client, tableName, logger)
  const service = createReservationService({
    limiter,
    reservations: createDynamoReservationStore(client, tableName),
    clock: systemClock,
    secrets: { id: () => crypto.randomUUID() },
  })
  const end = async (event: unknown, actual: Cost | null): Promise<ContextSettlement> => {
    const { entityId, textOf } = contextOf(event)
    const reservationId = textOf('reservationId')
    if (reservationId === undefined) return { settled: false, state: 'none' }
    try {
      const { changed, state } = await service.end(entityId, reservationId, actual)
      // nothing runs after the function's response
      await limiter.flush({ all: true })
      return { settled: changed, state }
    } catch (error) {
      return notSettled(error, logger)
    }
  }
  return {
    settle: async (event, actual) => end(event, checkedActualCost(actual)),
    release: (event) => end(event, null),
    close: () => client.close(),
  }
}

/** It decides nothing: the authorizer did. */
const createSettlingLimiter = (client: DynamoClient, tableName: string, logger: Logger): Limiter =>
  createLimiter({
    buckets: createDynamoBucketStore(client, tableName),
    localBuckets: createMemoryBucketStore(),
    config: createDynamoConfigStore(client, tableName),
    clock: systemClock,
    logger,
    metrics: noMetrics,
    newCache: lruCaches,
    pause: shortPause,
    slotPrefix: newSlotPrefix(),
    hash: sha256,
    settings: { useDelayMs: 0 },
  })

/** A response must not fail because its use could not be counted. */
const notSettled = (error: unknown, logger: Logger): ContextSettlement => {
  const isMissing = error instanceof ZaelError && error.code === 'not_found'
  if (!isMissing && !(error instanceof StoreUnavailable)) throw error
  logger.warn('settlement not written', { reason: errorMessage(error) })
  return { settled: false, state: isMissing ? 'none' : 'unavailable' }
}

interface Context {
  readonly entityId: string
  /** A value of the context; undefined if the authorizer returned none. */
  textOf(name: keyof AllowedContext): string | undefined
}

/** What the authorizer returned. API Gateway writes it into the event, so no client can. Throws `TypeError` if there is none. */
const contextOf = (event: unknown): Context => {
  const textOf: Context['textOf'] = (name) => textAt(event, 'requestContext', 'authorizer', name)
  const entityId = textOf('entityId')
  if (entityId === undefined) throw invalidArgument('event', NO_CONTEXT)
  return { entityId, textOf }
}

const NO_CONTEXT =
  'be that of a REST API whose method has a ZaelAuthorizer: it has no requestContext.authorizer.entityId'

let ofProcess: ContextSettler | undefined

/**
 * Settles the reservation that `ZaelAuthorizer` made for a request (with `settles: true`) to its actual cost. `actual` is the total
 * per meter; an absent meter stays as reserved. Call it once before the response: what it counts is written when it resolves.
 * It uses the table in `ZAEL_TABLE_NAME`, which `ZaelAuthorizer.grantSettle` sets. Rejects with `TypeError` for an invalid cost or
 * event, never because the table is unavailable: see `ContextSettlement`.
 *
 * @example
 * export const handler = async (event: APIGatewayProxyEvent) => {
 *   const { text, usage } = await answer(event)
 *   await settleFromContext(event, { requests: 1, tokens: usage.total_tokens })
 *   return { statusCode: 200, headers: headersFromContext(event), body: text }
 * }
 */
export const settleFromContext = async (event: unknown, actual: Cost): Promise<ContextSettlement> => {
  ofProcess ??= createContextSettler()
  return ofProcess.settle(event, actual)
}

/**
 * The rate-limit headers of a request that the authorizer allowed, for the function's response: its gateway responses add them to
 * rejected requests only. Throws `TypeError` for an event without the authorizer's context.
 */
export const headersFromContext = (event: unknown): Record<string, string> => {
  const { textOf } = contextOf(event)
  const headers: Record<string, string> = {}
  for (const [name, from] of HEADERS) {
    const value = textOf(from)
    if (value !== undefined) headers[name] = value
  }
  return headers
}

const HEADERS = [
  ['RateLimit', 'rateLimit'],
  ['RateLimit-Policy', 'rateLimitPolicy'],
  ['X-Zael-Degraded', 'degraded'],
] as const
