import { isLocalEndpoint } from '../../seed/local-endpoint.ts'
import { systemClock } from '../../src/platform/system-clock.ts'
import {
  createDynamoClient,
  type DynamoClient,
  type DynamoClientOptions,
} from '../../src/store/dynamodb/client.ts'
import type { TableAddress } from './table-host.ts'

/** Making a table, or a change of several items, takes longer than a decision may. */
export const PREPARING_DEADLINE_MS = 5_000

/**
 * An engine on this machine answers one call after another: more in flight only wait inside it, where their deadlines
 * run, and a burst would be taken for an engine that is away. So they wait here, and longer than before a service that
 * answers many at once.
 */
const onThisMachine = (workers: number) => ({
  maxInFlight: Math.max(1, Math.floor(8 / workers)),
  maxWaitMs: 10_000,
})

/** A client of the engine that holds the table. */
export const connect = (
  { endpoint, region, credentials, workers = 1 }: TableAddress,
  options: Omit<DynamoClientOptions, 'clock' | 'endpoint' | 'region' | 'credentials'>,
): DynamoClient =>
  createDynamoClient({
    ...options,
    clock: systemClock,
    endpoint,
    region,
    ...(isLocalEndpoint(endpoint) && onThisMachine(workers)),
    ...(credentials && { credentials }),
  })
