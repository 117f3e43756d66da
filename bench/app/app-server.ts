import { DynamoDB } from '@aws-sdk/client-dynamodb'
import { RateLimiterDynamo } from 'rate-limiter-flexible'
import { dynamoDbStore } from '../../src/library/dynamodb.ts'
import { countCalls, noCalls } from '../count-calls.ts'
import { CREDENTIALS, DEADLINE_MS } from '../table.ts'
import { type AppName, FLEXIBLE_TABLE_NAME, TABLE_NAME, WRITES } from './apps.ts'
import { expressLimit, expressZael, FLEXIBLE_LIMIT, flexibleLimit, serveExpress } from './express-apps.ts'
import { honoRateLimiter, honoZael, serveHono } from './hono-apps.ts'
import { LEASE_TTL_MS, type TableOptions } from './limits.ts'

const CONNECTION = {
  region: 'us-east-1',
  endpoint: process.env.BENCH_TABLE_URL ?? '',
  credentials: CREDENTIALS,
}

/** The options of zael on a table, with leases of this duration, which count its writes. */
const zaelTable = (leaseTtlMs: number): TableOptions => ({
  store: dynamoDbStore({ tableName: TABLE_NAME, ...CONNECTION, deadlineMs: DEADLINE_MS }),
  leaseTtlMs,
  metrics: {
    count(name, by = 1) {
      if (name === 'bucket_writes') calls.writes += by
    },
  },
})

const flexibleTable = (): RateLimiterDynamo => {
  const storeClient = new DynamoDB(CONNECTION)
  countCalls(storeClient, calls)
  const table = { storeClient, tableName: FLEXIBLE_TABLE_NAME, tableCreated: true, ttlSet: true }
  return new RateLimiterDynamo({ ...table, ...FLEXIBLE_LIMIT })
}

/** Serves the app that `BENCH_APP` names. Those with a table use the one at `BENCH_TABLE_URL`. */
const SERVERS: Readonly<Record<AppName, () => void>> = {
  hono: () => serveHono(undefined),
  'hono-rate-limiter': () => serveHono(honoRateLimiter()),
  'hono-zael-memory': () => serveHono(honoZael()),
  'hono-zael-leased': () => serveHono(honoZael(zaelTable(LEASE_TTL_MS))),
  express: () => serveExpress(undefined),
  'express-rate-limit': () => serveExpress(expressLimit()),
  'express-rate-limiter-flexible': () => serveExpress(flexibleLimit()),
  'express-zael-memory': () => serveExpress(expressZael()),
  'express-zael-leased': () => serveExpress(expressZael(zaelTable(LEASE_TTL_MS))),
  'express-flexible-table': () => serveExpress(flexibleLimit(flexibleTable())),
  'express-zael-exact': () => serveExpress(expressZael(zaelTable(0))),
}

const isAppName = (name: string): name is AppName => Object.hasOwn(SERVERS, name)

const calls = noCalls()
process.on('message', (message) => {
  if (message === WRITES) process.send?.(calls.writes)
})
process.channel?.unref()
const name = process.env.BENCH_APP ?? ''
if (!isAppName(name)) throw new Error(`BENCH_APP must be one of ${Object.keys(SERVERS).join(', ')}`)
SERVERS[name]()
