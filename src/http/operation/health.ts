import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { healthQuery, healthResponse } from '../../contract/dashboard.ts'
import { StoreUnavailable } from '../../core/model/errors.ts'
import { sharedRead } from '../../core/ports/shared-read.ts'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'
import { query } from '../body/validated.ts'
import { describeRoute } from '../openapi/described.ts'

const describeHealth = describeRoute({
  tag: 'Operation',
  summary: 'Show the health of this node',
  response: healthResponse,
  otherStatus: 503,
})

type Needs = Pick<AppDependencies, 'checkHealth' | 'clock' | 'settings'>

export const createHealthRoutes = (needs: Needs) => {
  const deepCheck = createDeepCheck(needs)
  const health = async (c: Context<AppEnv>, deep: string | undefined) => {
    const reason = deep === '1' ? await deepCheck() : undefined
    const { nodeId: node_id, version } = needs.settings
    return reason === undefined
      ? c.json({ status: 'ok' as const, node_id, version }, 200)
      : c.json({ status: 'unavailable' as const, node_id, version, reason }, 503)
  }
  return new Hono<AppEnv>()
    .get('/health', describeHealth, query(healthQuery), (c) => health(c, c.req.valid('query').deep))
    .get('/healthz', describeHealth, query(healthQuery), (c) => health(c, c.req.valid('query').deep))
}

/** The route is open to everyone, so it reads the table at most once per second, even while that fails. */
const SHARED_MS = 1000

/** Returns the reason why no request can be decided now; undefined: healthy. */
const createDeepCheck = ({ checkHealth, clock }: Needs): (() => Promise<string | undefined>) => {
  const failure = sharedRead(
    () =>
      checkHealth().then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
    { clock, ms: SHARED_MS },
  )
  return async () => {
    const failed = await failure()
    return failed && reasonOf(failed.error)
  }
}

/** The reason as an open route may state it; the log contains the store's own message. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof StoreUnavailable)) throw error
  return error.isClockOff
    ? "The clock of this machine differs too much from the table's"
    : 'The table cannot be reached'
}

const describeMetrics = describeRoute({
  tag: 'Operation',
  summary: 'Show the counters of this process as Prometheus text',
  response: v.string(),
  mediaType: 'text/plain',
})

export const createMetricsRoutes = (metricsText: () => Promise<string>) =>
  new Hono<AppEnv>().get('/', describeMetrics, async (c) =>
    c.body(await metricsText(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
