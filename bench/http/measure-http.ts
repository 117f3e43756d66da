import type { ChildServer } from '../child-server.ts'
import { type LoadLength, type LoadTurn, loadServer, medianTurn } from '../load.ts'
import { median } from '../measure.ts'
import { adminCalls } from './admin-calls.ts'
import { type BareResponse, startBare, startZael } from './servers.ts'

/** The servers that are compared on each route. */
export const SERVERS = {
  bare: 'bare Hono, 60 bytes',
  same: 'bare Hono, the same headers and body',
  bypassed: 'zael without the limiter',
  zael: 'zael',
} as const

export type ServerName = keyof typeof SERVERS

/** A server on a route; medians over all turns. */
export interface HttpRow extends LoadTurn {
  readonly route: string
  readonly server: ServerName
  /** The median ratio of its requests per second to those of `bare` in the same round. */
  readonly ofBare: number
}

export interface HttpOptions {
  readonly connections: number
  readonly seconds: number
  readonly rounds: number
  /** Sent to each server before its first turn: the engine compiles code by how often it has run. */
  readonly warmUpRequests: number
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

/** 60 bytes of JSON. */
const SMALL: BareResponse = { headers: {}, body: { allowed: true, note: 'x'.repeat(34) } }

/** The URL of a route on a server. */
interface Place {
  readonly server: ChildServer
  readonly path: string
}

/** Measures zael's routes and bare handlers that parse the same JSON, each server in its own process, in turns. */
export const measureHttp = async (options: HttpOptions): Promise<readonly HttpRow[]> => {
  const running: ChildServer[] = []
  const started = async <S extends ChildServer>(server: S): Promise<S> => {
    running.push(server)
    return server
  }
  try {
    const zael = await startZael().then(started)
    const bypassed = await startZael({ isBypassed: true }).then(started)
    for (const server of [zael, bypassed]) await prepare(server)
    const bare = await startBare(await bareResponses(zael)).then(started)
    const rows: HttpRow[] = []
    for (const route of ROUTES) {
      const { path } = route
      const places: Readonly<Record<ServerName, Place>> = {
        bare: { server: bare, path: `/small${path}` },
        same: { server: bare, path: `/same${path}` },
        bypassed: { server: bypassed, path },
        zael: { server: zael, path },
      }
      rows.push(...(await measureRoute(places, route, options)))
    }
    return rows
  } finally {
    for (const server of running) await server.stop()
  }
}

type Turns = Readonly<Record<ServerName, LoadTurn>>

const measureRoute = async (
  places: Readonly<Record<ServerName, Place>>,
  route: Route,
  { connections, seconds, rounds, warmUpRequests }: HttpOptions,
): Promise<readonly HttpRow[]> => {
  const turn = ({ server, path }: Place, length: LoadLength): Promise<LoadTurn> =>
    loadServer(server, { path, method: 'POST', headers: HEADERS, body: route.body }, connections, length)
  const turnsOf = async (length: LoadLength): Promise<Turns> => ({
    bare: await turn(places.bare, length),
    same: await turn(places.same, length),
    bypassed: await turn(places.bypassed, length),
    zael: await turn(places.zael, length),
  })
  await turnsOf({ requests: warmUpRequests })
  const all: Turns[] = []
  for (let round = 0; round < rounds; round++) all.push(await turnsOf({ seconds }))
  return SERVER_NAMES.map((server) => rowOf(route, server, all))
}

const SERVER_NAMES = ['bare', 'same', 'bypassed', 'zael'] as const

const rowOf = ({ path }: Route, server: ServerName, all: readonly Turns[]): HttpRow => ({
  route: path,
  server,
  ofBare: median(all.map((turns) => turns[server].perSecond / turns.bare.perSecond)),
  ...medianTurn(all.map((turns) => turns[server])),
})

/** Adds a key with large limits and a model without a tier, and removes the demo's default limits. */
const prepare = async ({ url }: ChildServer): Promise<void> => {
  const call = adminCalls(url)
  await call('DELETE', '/api/policies/GLOBAL/*')
  await call('PUT', `/api/models/${MODEL}`, {})
  await call('POST', '/api/entities', { entity_id: 'bench', name: 'Benchmark' })
  await call('POST', '/api/entities/bench/keys', { secret: SECRET })
  await call('PUT', '/api/limits/bench', { limits: LIMITS })
}

/** The responses of the bare handlers: 60 bytes, and zael's own. */
const bareResponses = async (zael: ChildServer): Promise<Readonly<Record<string, BareResponse>>> => {
  const responses: Record<string, BareResponse> = {}
  for (const route of ROUTES) {
    responses[`/small${route.path}`] = SMALL
    responses[`/same${route.path}`] = await responseOf(zael, route)
  }
  return responses
}

/** Headers that every Node server adds by itself. */
const OF_SERVER = ['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding']

/** zael's response, for the bare handler to return. */
const responseOf = async ({ url }: ChildServer, { path, body }: Route): Promise<BareResponse> => {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path} returned ${response.status}: ${await response.text()}`)
  const headers = [...response.headers].filter(([name]) => !OF_SERVER.includes(name))
  return { headers: Object.fromEntries(headers), body: await response.json() }
}
