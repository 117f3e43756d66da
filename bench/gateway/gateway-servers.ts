import { type ChildServer, startServer } from '../child-server.ts'
import { adminCalls } from '../http/admin-calls.ts'
import { startZael } from '../http/servers.ts'
import { isMissing, type Peer, portkeyHeaders, startLiteLlm, startPortkey } from './peers.ts'

/** The servers that are compared, by what lies between the caller and the upstream. */
export const GATEWAYS = {
  direct: 'nothing',
  passThrough: 'a pass-through on undici',
  bypassed: 'zael without limits',
  zael: 'zael: rpm, tpm and a dollar budget',
  portkey: "Portkey's gateway, without limits",
  liteLlm: "LiteLLM's proxy, without limits",
} as const

export type GatewayName = keyof typeof GATEWAYS

export const GATEWAY_NAMES = ['direct', 'passThrough', 'bypassed', 'zael', 'portkey', 'liteLlm'] as const

/** A server, and the headers that its requests need. */
export interface Gateway {
  readonly name: GatewayName
  readonly server: ChildServer
  readonly headers: Readonly<Record<string, string>>
}

export interface Gateways {
  readonly all: readonly Gateway[]
  /** Why a gateway is not among them. */
  readonly missing: readonly string[]
  stop(): Promise<void>
}

/** A model of the upstream that answers at once, and of the one that takes 50 ms to 1.5 s. */
export const [MODEL, SLOW_MODEL] = ['bench-model', 'bench-slow']

/** The keys of two callers, each with large limits of its own. */
const [SECRET, OTHER_SECRET] = ['sk-bench-0123456789abcdef', 'sk-bench-other-0123456789']

const headersOf = (secret: string) => ({
  authorization: `Bearer ${secret}`,
  'content-type': 'application/json',
})

const HEADERS = headersOf(SECRET)

export const OTHER_HEADERS = headersOf(OTHER_SECRET)

export interface StartOptions {
  /** False: none of other projects. */
  readonly withPeers?: boolean
  readonly onProgress?: (text: string) => void
}

/** Starts every gateway in its own process, in front of one upstream. */
export const startGateways = async (options: StartOptions = {}): Promise<Gateways> => {
  const { withPeers = true, onProgress = () => {} } = options
  const running: ChildServer[] = []
  const started = <S extends ChildServer>(server: S): S => {
    running.push(server)
    return server
  }
  const stop = async (): Promise<void> => {
    for (const server of running.reverse()) await server.stop()
  }
  try {
    onProgress('starting the upstream, the pass-through and zael')
    const upstream = started(await startServer({ script: 'bench/gateway/upstream-server.ts' }))
    const passThrough = started(
      await startServer({
        script: 'bench/gateway/pass-through.ts',
        environment: { BENCH_UPSTREAM: upstream.url },
      }),
    )
    const settings = { UPSTREAM_BASE_URL: `${upstream.url}/v1` }
    const bypassed = started(await startZael({ isBypassed: true, settings }))
    const zael = started(await startZael({ settings }))
    for (const server of [bypassed, zael]) await prepare(server, upstream)
    const peers = withPeers ? await startPeers(upstream, onProgress) : []
    const present = peers.flatMap(([name, peer]) =>
      isMissing(peer) ? [] : [{ name, server: started(peer), headers: headersFor(name, upstream) }],
    )
    return {
      all: [
        { name: 'direct', server: upstream, headers: HEADERS },
        { name: 'passThrough', server: passThrough, headers: HEADERS },
        { name: 'bypassed', server: bypassed, headers: HEADERS },
        { name: 'zael', server: zael, headers: HEADERS },
        ...present,
      ],
      missing: peers.flatMap(([name, peer]) =>
        isMissing(peer) ? [`${GATEWAYS[name]}: ${peer.missing}`] : [],
      ),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Those of other projects, installed by the first run. */
const startPeers = async (
  upstream: ChildServer,
  onProgress: (text: string) => void,
): Promise<readonly (readonly [GatewayName, Peer])[]> => {
  onProgress("starting Portkey's gateway, which may have to be installed")
  const portkey = await startPortkey()
  onProgress("starting LiteLLM's proxy, which may have to be installed")
  const liteLlm = await startLiteLlm(upstream, MODEL)
  return [
    ['portkey', portkey],
    ['liteLlm', liteLlm],
  ]
}

const headersFor = (name: GatewayName, upstream: ChildServer) =>
  name === 'portkey' ? { ...HEADERS, ...portkeyHeaders(upstream) } : HEADERS

/** Large enough that no request is denied. */
const LIMITS = [
  { name: 'rpm', capacity: 1_000_000_000, refill_rate: 1_000_000 },
  { name: 'tpm', capacity: 1_000_000_000_000, refill_rate: 1_000_000 },
  { name: 'budget', meter: 'cost_usd_micros', capacity: 1_000_000_000_000, refill_rate: 1_000_000 },
]

const PRICES = { input_per_million: 2.5, output_per_million: 10 }

/** Adds the models and two callers, and removes the demo's default limits. */
const prepare = async ({ url }: ChildServer, upstream: ChildServer): Promise<void> => {
  const call = adminCalls(url)
  await call('DELETE', '/api/policies/GLOBAL/*')
  await call('PUT', '/api/upstreams/slow', { kind: 'openai', base_url: `${upstream.url}/slow/v1` })
  await call('PUT', `/api/models/${MODEL}`, { prices: PRICES })
  await call('PUT', `/api/models/${SLOW_MODEL}`, { prices: PRICES, upstreams: [{ upstream: 'slow' }] })
  for (const [id, secret] of [
    ['bench', SECRET],
    ['bench-other', OTHER_SECRET],
  ] as const) {
    await call('POST', '/api/entities', { entity_id: id, name: id })
    await call('POST', `/api/entities/${id}/keys`, { secret })
    await call('PUT', `/api/limits/${id}`, { limits: LIMITS })
  }
}
