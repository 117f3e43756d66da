import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { Clock } from '../../core/ports/platform.ts'
import type { CallQueue, Deadlines } from './call-limits.ts'
import type { ClockSkew } from './clock-skew.ts'
import { usePlainJson } from './plain-json.ts'

/**
 * The commands of the stores. They belong to the part of the SDK that is loaded later, so stores import their types only.
 */
const COMMANDS = {
  BatchGetItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
}

export type Commands = typeof COMMANDS

/** Endpoint, region and credentials of the requests. Default: those of the environment, else AWS. */
export interface SdkAddress {
  readonly endpoint?: NonNullable<DynamoDBClientConfig['endpoint']> | undefined
  readonly region?: NonNullable<DynamoDBClientConfig['region']> | undefined
  readonly credentials?: NonNullable<DynamoDBClientConfig['credentials']> | undefined
}

/** A configured client of the SDK, with the commands that it sends. */
export interface Sdk {
  readonly client: DynamoDBClient
  readonly commands: Commands
}

/** Connects with the first call. Sockets are kept open. The work of the SDK that is left out, and why: decision 061. */
export const openSdk = ({ endpoint, region, credentials }: SdkAddress, rules: RequestRules): Sdk => {
  const client = new DynamoDBClient({
    retryStrategy: SENT_ONCE,
    cacheMiddleware: true,
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
  })
  saveWork(client)
  usePlainJson(client)
  addRequestRules(client, rules)
  return { client, commands: COMMANDS }
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

/** The requests of one client: how many at once, how long each may take, and the clock of the store. */
export interface RequestRules {
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
