import type { ChildServer } from '../child-server.ts'
import { type LoadRequest, type LoadTurn, loadServer, medianTurn } from '../load.ts'
import { median } from '../measure.ts'
import { adminCalls } from './admin-calls.ts'
import { startBare, startZael } from './servers.ts'

export interface HttpRow {
  readonly route: string
  readonly perSecond: number
  readonly barePerSecond: number
  /** The median ratio of consecutive turns. */
  readonly ofBare: number
  /** Processor time of the server per request. */
  readonly cpuMicros: number
  readonly bareCpuMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly bareP50Ms: number
  readonly bareP99Ms: number
}

export interface HttpOptions {
  readonly connections: number
  readonly seconds: number
  readonly rounds: number
  readonly warmUpSeconds: number
}

interface Route {
  readonly path: string
  readonly body: object
}

const SECRET = 'sk-bench-0123456789abcdef'
const MODEL = 'bench-model'
const ROUTES: readonly Route[] = [
  { path: '/v1/limits/check', body: { cost: { requests: 1 } } },
  {
    path: '/v1/chat/completions',
    body: {
      model: MODEL,
      max_tokens: 50,
      messages: [{ role: 'user', content: 'Greet the benchmark.' }],
    },
  },
]
/** Large enough that no request is denied. */
const LIMITS = [
  { name: 'rpm', capacity: 1_000_000_000, refill_rate: 1_000_000 },
  { name: 'tpm', capacity: 1_000_000_000_000, refill_rate: 1_000_000 },
]
const HEADERS = { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' }

/**
 * Measures zael's routes and bare handlers that parse the same JSON and return the same response, each server in its own
 * process.
 */
export const measureHttp = async (options: HttpOptions): Promise<readonly HttpRow[]> => {
  const zael = await startZael()
  try {
    await prepare(zael)
    const responses = await Promise.all(
      ROUTES.map(async (route) => [route.path, await responseOf(zael, route)]),
    )
    const bare = await startBare(Object.fromEntries(responses))
    try {
      const rows: HttpRow[] = []
      for (const route of ROUTES) rows.push(await measureRoute(zael, bare, route, options))
      return rows
    } finally {
      await bare.stop()
    }
  } finally {
    await zael.stop()
  }
}

const measureRoute = async (
  zael: ChildServer,
  bare: ChildServer,
  { path, body }: Route,
  { connections, seconds, rounds, warmUpSeconds }: HttpOptions,
): Promise<HttpRow> => {
  const request: LoadRequest = { path, method: 'POST', headers: HEADERS, body }
  for (const server of [bare, zael])
    await loadServer(server, request, connections, { seconds: warmUpSeconds })
  const turns: { readonly bare: LoadTurn; readonly zael: LoadTurn }[] = []
  for (let round = 0; round < rounds; round++) {
    turns.push({
      bare: await loadServer(bare, request, connections, { seconds }),
      zael: await loadServer(zael, request, connections, { seconds }),
    })
  }
  const own = medianTurn(turns.map((turn) => turn.zael))
  const others = medianTurn(turns.map((turn) => turn.bare))
  return {
    route: path,
    perSecond: own.perSecond,
    barePerSecond: others.perSecond,
    ofBare: median(turns.map((turn) => turn.zael.perSecond / turn.bare.perSecond)),
    cpuMicros: own.cpuMicros,
    bareCpuMicros: others.cpuMicros,
    p50Ms: own.p50Ms,
    p99Ms: own.p99Ms,
    bareP50Ms: others.p50Ms,
    bareP99Ms: others.p99Ms,
  }
}

/** Adds a key with large limits and a model without a tier, and removes the demo's default limits. */
const prepare = async ({ url }: ChildServer): Promise<void> => {
  const call = adminCalls(url)
  await call('DELETE', '/api/policies/GLOBAL/*')
  await call('PUT', `/api/models/${MODEL}`, {})
  await call('POST', '/api/entities', { entity_id: 'bench', name: 'Benchmark' })
  await call('POST', '/api/entities/bench/keys', { secret: SECRET })
  await call('PUT', '/api/limits/bench', { limits: LIMITS })
}

/** zael's response, for the bare handler to return. */
const responseOf = async ({ url }: ChildServer, { path, body }: Route): Promise<unknown> => {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path} returned ${response.status}: ${await response.text()}`)
  return response.json()
}
