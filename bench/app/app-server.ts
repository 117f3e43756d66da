import { dynamoDbStore } from '../../src/library/dynamodb.ts'
import { CREDENTIALS, DEADLINE_MS } from '../table.ts'
import { type AppName, TABLE_NAME } from './apps.ts'
import { expressLimit, expressZael, flexibleLimit, serveExpress } from './express-apps.ts'
import { honoRateLimiter, honoZael, serveHono } from './hono-apps.ts'

/** Serves the app that `BENCH_APP` names. The leased ones use the table at `BENCH_TABLE_URL`. */
const SERVERS: Readonly<Record<AppName, () => void>> = {
  hono: () => serveHono(undefined),
  'hono-rate-limiter': () => serveHono(honoRateLimiter()),
  'hono-zael-memory': () => serveHono(honoZael()),
  'hono-zael-leased': () => serveHono(honoZael(table())),
  express: () => serveExpress(undefined),
  'express-rate-limit': () => serveExpress(expressLimit()),
  'express-rate-limiter-flexible': () => serveExpress(flexibleLimit()),
  'express-zael-memory': () => serveExpress(expressZael()),
  'express-zael-leased': () => serveExpress(expressZael(table())),
}

const table = () =>
  dynamoDbStore({
    tableName: TABLE_NAME,
    region: 'us-east-1',
    endpoint: process.env.BENCH_TABLE_URL ?? '',
    credentials: CREDENTIALS,
    deadlineMs: DEADLINE_MS,
  })

const isAppName = (name: string): name is AppName => Object.hasOwn(SERVERS, name)

const name = process.env.BENCH_APP ?? ''
if (!isAppName(name)) throw new Error(`BENCH_APP must be one of ${Object.keys(SERVERS).join(', ')}`)
SERVERS[name]()
