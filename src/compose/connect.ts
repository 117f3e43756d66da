import { isLoopback } from '../platform/loopback.ts'
import { systemClock } from '../platform/runtime.ts'
import type { Environment } from '../settings/settings.ts'
import { createDynamoClient, type DynamoClient, type DynamoClientOptions } from '../store/dynamodb/client.ts'

/** The address of the table's DynamoDB. */
export interface TableAddress {
  readonly endpoint: string
  readonly region: string
  /** Undefined: those of the environment. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
  /** Number of processes that share this DynamoDB. Default: 1. */
  readonly workers?: number
}

/** Containers beside this one: names without a dot do not exist on the internet. */
const CONTAINER_NAMES = /^(localhost\.localstack\.cloud|host\.docker\.internal|[a-z0-9-]+)$/

/** Whether an endpoint is on this machine or in a container beside it. Undefined (AWS): false. */
export const isLocalEndpoint = (endpoint: string | undefined): boolean => {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false
  const { hostname } = new URL(endpoint)
  return isLoopback(hostname) || CONTAINER_NAMES.test(hostname)
}

/** A local engine checks no credentials, but the SDK requires some. */
const PLACEHOLDER_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' }

const hasCredentials = (environment: Environment): boolean =>
  Boolean(environment.AWS_ACCESS_KEY_ID || environment.AWS_PROFILE)

/** Region and credentials for `endpoint`: those of the environment, or placeholders for a local engine. */
export const accessTo = (
  endpoint: string,
  environment: Environment,
): Pick<TableAddress, 'region' | 'credentials'> => ({
  region: environment.AWS_REGION || environment.AWS_DEFAULT_REGION || 'us-east-1',
  credentials:
    isLocalEndpoint(endpoint) && !hasCredentials(environment) ? PLACEHOLDER_CREDENTIALS : undefined,
})

/** Opens a client of the table's DynamoDB. */
export type Connect = (
  options: Omit<DynamoClientOptions, 'clock' | 'endpoint' | 'region' | 'credentials'>,
) => DynamoClient

/** For everything but decisions: creating a table, administration and usage may take longer. */
export const LONG_DEADLINE_MS = 5_000

/** The DynamoDB of the environment: region, credentials and, if set, endpoint. */
export const connectToAws: Connect = (options) => createDynamoClient({ ...options, clock: systemClock })

/**
 * An engine on this machine serves one call after another. More calls in flight would wait inside it while their deadlines
 * run, and a burst would look like an unavailable engine. They wait here instead, longer than for a service that serves
 * many calls at once.
 */
const onThisMachine = (workers: number) => ({
  maxInFlight: Math.max(1, Math.floor(8 / workers)),
  maxWaitMs: 10_000,
})

/** The DynamoDB at an address. */
export const connectTo =
  ({ endpoint, region, credentials, workers = 1 }: TableAddress): Connect =>
  (options) =>
    createDynamoClient({
      ...options,
      clock: systemClock,
      endpoint,
      region,
      ...(isLocalEndpoint(endpoint) && onThisMachine(workers)),
      ...(credentials && { credentials }),
    })
