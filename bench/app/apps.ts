/** The apps of the comparison: each responds to `GET /` with 11 bytes, alone or behind a limiter that never denies. */
export const APPS = [
  { name: 'hono', framework: 'Hono', title: 'bare' },
  { name: 'hono-rate-limiter', framework: 'Hono', title: 'hono-rate-limiter, memory' },
  { name: 'hono-zael-memory', framework: 'Hono', title: 'zael, memory' },
  { name: 'hono-zael-leased', framework: 'Hono', title: 'zael, leased' },
  { name: 'express', framework: 'Express', title: 'bare' },
  { name: 'express-rate-limit', framework: 'Express', title: 'express-rate-limit, memory' },
  { name: 'express-rate-limiter-flexible', framework: 'Express', title: 'rate-limiter-flexible, memory' },
  { name: 'express-zael-memory', framework: 'Express', title: 'zael, memory' },
  { name: 'express-zael-leased', framework: 'Express', title: 'zael, leased' },
  { name: 'express-flexible-table', framework: 'Express', title: 'rate-limiter-flexible, DynamoDB' },
  { name: 'express-zael-exact', framework: 'Express', title: 'zael, exact' },
] as const

export type App = (typeof APPS)[number]

export type AppName = App['name']

/** Those whose requests wait for the table. */
const WAITING: readonly AppName[] = ['express-flexible-table', 'express-zael-exact']

export const waitsForTable = ({ name }: App): boolean => WAITING.includes(name)

/** The table of zael's apps, and the one of rate-limiter-flexible. */
export const [TABLE_NAME, FLEXIBLE_TABLE_NAME] = ['ZAEL-bench-app', 'bench-app-flexible']

/** The reply to it is the number of writes to the table so far. */
export const WRITES = 'writes'
