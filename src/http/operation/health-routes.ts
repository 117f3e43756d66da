import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { StoreUnavailable } from '../../core/errors.ts'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'
import { described } from '../schemas/described.ts'
import { query } from '../schemas/validated.ts'

const healthAnswer = v.object({
  status: v.picklist(['ok', 'unavailable']),
  node_id: v.nullable(v.string()),
  version: v.string(),
})

const healthQuery = v.object({
  deep: v.pipe(v.exactOptional(v.string()), v.description('1: asks the table as well')),
})

const description = described({
  tag: 'Operation',
  summary: 'Say whether this node is well',
  answer: healthAnswer,
  otherStatus: 503,
  isOpen: true,
})

type Needs = Pick<AppDependencies, 'store' | 'settings'>

export const createHealthRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .get('/health', description, query(healthQuery), async (c) => health(c, needs, c.req.valid('query').deep))
    .get('/healthz', description, query(healthQuery), async (c) =>
      health(c, needs, c.req.valid('query').deep),
    )

const health = async (c: Context<AppEnv>, { store, settings }: Needs, deep: string | undefined) => {
  const isWell = deep !== '1' || (await answers(store))
  const body = {
    status: isWell ? ('ok' as const) : ('unavailable' as const),
    node_id: settings.nodeId,
    version: settings.version,
  }
  return c.json(body, isWell ? 200 : 503)
}

/** Any read will do: what counts is that there is an answer. */
const answers = async (store: Needs['store']): Promise<boolean> => {
  try {
    await store.entity('healthz')
    return true
  } catch (error) {
    if (error instanceof StoreUnavailable) return false
    throw error
  }
}
