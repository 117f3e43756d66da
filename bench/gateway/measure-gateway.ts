import type { ChildServer } from '../child-server.ts'
import { ADMIN_TOKEN } from '../http/servers.ts'
import { median } from '../measure.ts'
import { type Call, type CallTurn, loadCalls, type TurnLength } from './call-load.ts'
import {
  GATEWAYS,
  type Gateway,
  type GatewayName,
  type Gateways,
  MODEL,
  OTHER_HEADERS,
  SLOW_MODEL,
} from './gateway-servers.ts'

/** How many callers call at once, and whether they ask for streams. */
export const LOADS = [
  { title: '1 caller', callers: 1, isStream: false },
  { title: '16 callers', callers: 16, isStream: false },
  { title: '64 callers', callers: 64, isStream: false },
  { title: '64 streams', callers: 64, isStream: true },
] as const

export type LoadTitle = (typeof LOADS)[number]['title']

/** A gateway under a load; medians over all turns. */
export interface GatewayRow extends CallTurn {
  readonly load: LoadTitle
  readonly gateway: GatewayName
}

/** What belongs to zael alone. */
export interface ZaelFigures {
  /** Writes to buckets per chat of one hot key, 64 callers, an upstream that takes 50 ms to 1.5 s. */
  readonly writesPerChat: number
  /** Time that zael adds to a request with a prompt of 100 KB, beside the time that the upstream takes to receive it. */
  readonly longPromptAddedMs: number
  /** Another caller's p99 alone, and beside a caller of long prompts. */
  readonly otherAloneP99Ms: number
  readonly otherBesideP99Ms: number
}

export interface GatewayOptions {
  readonly seconds: number
  readonly rounds: number
  /** Sent to each server before its first turn: the engine compiles code by how often it has run. */
  readonly warmUpCalls: number
  /** Ends the warm-up of a slow server earlier. */
  readonly warmUpSeconds: number
  /** Of the slow upstream. */
  readonly slowSeconds: number
}

const CHAT_PATH = '/v1/chat/completions'

const chat = (headers: Gateway['headers'], more: object = {}): Call => ({
  path: CHAT_PATH,
  headers,
  body: JSON.stringify({
    model: MODEL,
    max_tokens: 50,
    messages: [{ role: 'user', content: 'Greet the benchmark.' }],
    ...more,
  }),
})

/** Measures each load on every gateway, in alternating turns. A gateway that fails under a load is left out of it. */
export const measureLoads = async (
  { all }: Gateways,
  options: GatewayOptions,
  onProgress: (text: string) => void,
): Promise<readonly GatewayRow[]> => {
  const { warmUpCalls: calls, warmUpSeconds: seconds } = options
  for (const gateway of all) {
    onProgress(`warming up: ${GATEWAYS[gateway.name]}`)
    await takeTurn(gateway, LOADS[1], { calls, seconds })
  }
  const rows: GatewayRow[] = []
  for (const load of LOADS) {
    const able = await ableGateways(all, load, onProgress)
    rows.push(...(await measureLoad(able, load, options, onProgress)))
  }
  return rows
}

type Load = (typeof LOADS)[number]

const takeTurn = ({ server, headers }: Gateway, load: Load, length: TurnLength): Promise<CallTurn> =>
  loadCalls(server, chat(headers, load.isStream ? { stream: true } : {}), load.callers, length)

/** Those that answer. */
const ableGateways = async (
  all: readonly Gateway[],
  load: Load,
  onProgress: (text: string) => void,
): Promise<readonly Gateway[]> => {
  const able: Gateway[] = []
  for (const gateway of all) {
    const failure = await takeTurn(gateway, load, { calls: 1 }).then(() => undefined, String)
    if (failure === undefined) able.push(gateway)
    else onProgress(`${load.title}: ${GATEWAYS[gateway.name]} is left out: ${failure}`)
  }
  return able
}

const measureLoad = async (
  gateways: readonly Gateway[],
  load: Load,
  { seconds, rounds }: GatewayOptions,
  onProgress: (text: string) => void,
): Promise<readonly GatewayRow[]> => {
  const turns = gateways.map((): CallTurn[] => [])
  for (let round = 0; round < rounds; round++) {
    onProgress(`${load.title}, round ${round + 1} of ${rounds}`)
    for (const [at, gateway] of gateways.entries()) {
      // a key that was idle during the other turns has no lease
      await takeTurn(gateway, load, { seconds: LEAD_SECONDS })
      turns[at]?.push(await takeTurn(gateway, load, { seconds }))
    }
  }
  return gateways.map(({ name }, at) => ({ load: load.title, gateway: name, ...medianOf(turns[at] ?? []) }))
}

const LEAD_SECONDS = 0.5

const medianOf = (turns: readonly CallTurn[]): CallTurn => {
  const of = (figure: (turn: CallTurn) => number): number => median(turns.map(figure))
  return {
    calls: of(({ calls }) => calls),
    perSecond: of(({ perSecond }) => perSecond),
    cpuMicros: of(({ cpuMicros }) => cpuMicros),
    mainMicros: of(({ mainMicros }) => mainMicros),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    firstP50Ms: of(({ firstP50Ms }) => firstP50Ms),
    firstP99Ms: of(({ firstP99Ms }) => firstP99Ms),
  }
}

const HOT_CALLERS = 64

/** Measures what belongs to zael alone: writes of a hot key, and long prompts. */
export const measureZael = async (
  { all }: Gateways,
  options: GatewayOptions,
  onProgress: (text: string) => void,
): Promise<ZaelFigures> => {
  const [direct, zael] = [find(all, 'direct'), find(all, 'zael')]
  onProgress('a hot key, a slow upstream')
  const slow = chat(zael.headers, { model: SLOW_MODEL })
  const writes = await bucketWrites(zael.server)
  const { calls } = await loadCalls(zael.server, slow, HOT_CALLERS, { seconds: options.slowSeconds })
  const writesPerChat = ((await bucketWrites(zael.server)) - writes) / calls
  onProgress('a prompt of 100 KB')
  return { writesPerChat, ...(await measureLongPrompts({ direct, zael }, options)) }
}

const find = (all: readonly Gateway[], wanted: GatewayName): Gateway => {
  const found = all.find(({ name }) => name === wanted)
  if (found === undefined) throw new Error(`${wanted} is not running`)
  return found
}

const bucketWrites = async ({ url }: ChildServer): Promise<number> => {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
  const text = await response.text()
  const counted = /^zael_bucket_writes_total(?:{[^}]*})? (\S+)$/m.exec(text)?.[1]
  return counted === undefined ? 0 : Number(counted)
}

/** 100 KB of text. */
const LONG = 'The quick brown fox jumps over the lazy dog. '.repeat(2276)

const measureLongPrompts = async (
  { direct, zael }: { readonly direct: Gateway; readonly zael: Gateway },
  { seconds, rounds }: GatewayOptions,
): Promise<Omit<ZaelFigures, 'writesPerChat'>> => {
  const long = (gateway: Gateway) =>
    loadCalls(gateway.server, chat(gateway.headers, { messages: [{ role: 'user', content: LONG }] }), 1, {
      seconds,
    })
  const other = () => loadCalls(zael.server, chat(OTHER_HEADERS), 1, { seconds })
  await long(zael)
  await other()
  const turns = []
  for (let round = 0; round < rounds; round++) {
    const [alone, plain, through] = [await other(), await long(direct), await long(zael)]
    const [beside] = await Promise.all([other(), long(zael)])
    turns.push({ alone, beside, addedMs: through.p50Ms - plain.p50Ms })
  }
  return {
    longPromptAddedMs: median(turns.map(({ addedMs }) => addedMs)),
    otherAloneP99Ms: median(turns.map(({ alone }) => alone.p99Ms)),
    otherBesideP99Ms: median(turns.map(({ beside }) => beside.p99Ms)),
  }
}
