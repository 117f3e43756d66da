import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { StoreUnavailable } from '../../core/model/errors.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import type { Clock } from '../../core/ports/platform.ts'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'
import { query } from '../body/validated.ts'
import { described } from '../openapi/described.ts'

const healthAnswer = v.object({
  status: v.picklist(['ok', 'unavailable']),
  node_id: v.nullable(v.string()),
  version: v.string(),
  reason: v.exactOptional(v.pipe(v.string(), v.description('Why it is unavailable'))),
})

const healthQuery = v.object({
  deep: v.pipe(v.exactOptional(v.string()), v.description('1: asks the table as well')),
})

const describeHealth = described({
  tag: 'Operation',
  summary: 'Say whether this node is well',
  answer: healthAnswer,
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

/** The route is open to everyone, so it reads the table at most once per second. */
const MAX_AGE_NS = SECOND_NS

/** Returns why nothing can be decided now; undefined: everything works. */
const createDeepCheck = ({ checkHealth, clock }: { checkHealth(): Promise<void>; readonly clock: Clock }) => {
  let latest: Promise<string | undefined> | undefined
  let checkedAtNs: bigint | undefined
  return (): Promise<string | undefined> => {
    const isOld = checkedAtNs !== undefined && clock.monotonic() - checkedAtNs >= MAX_AGE_NS
    if (latest !== undefined && !isOld) return latest
    checkedAtNs = undefined
    latest = reasonOf(checkHealth).finally(() => {
      checkedAtNs = clock.monotonic()
    })
    return latest
  }
}

/** The reason as an open route may state it; the log contains the store's own message. */
const reasonOf = async (checkHealth: () => Promise<void>): Promise<string | undefined> => {
  try {
    await checkHealth()
    return undefined
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    return error.isClockOff
      ? "The clock of this machine differs too much from the table's"
      : 'The table cannot be reached'
  }
}

const describeMetrics = described({
  tag: 'Operation',
  summary: 'Show the counters of this process as Prometheus text',
  answer: v.string(),
  mediaType: 'text/plain',
})

export const createMetricsRoutes = (metricsText: () => Promise<string>) =>
  new Hono<AppEnv>().get('/', describeMetrics, async (c) =>
    c.body(await metricsText(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
