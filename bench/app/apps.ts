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
] as const

export type App = (typeof APPS)[number]

export type AppName = App['name']

/** The table of the leased apps. */
export const TABLE_NAME = 'ZAEL-bench-app'
