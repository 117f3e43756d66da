import { systemClock } from '../../src/platform/system-clock.ts'
import {
  createDynamoClient,
  type DynamoClient,
  type DynamoClientOptions,
} from '../../src/store/dynamodb/client.ts'
import type { TableHost } from './table-host.ts'

/** Making a table, or a change of several items, takes longer than a decision may. */
export const PREPARING_DEADLINE_MS = 5_000

/** A client of the engine that holds the table. */
export const connect = (
  { endpoint, region, credentials }: TableHost,
  options: Omit<DynamoClientOptions, 'clock' | 'endpoint' | 'region' | 'credentials'>,
): DynamoClient =>
  createDynamoClient({
    ...options,
    clock: systemClock,
    endpoint,
    region,
    ...(credentials && { credentials }),
  })
