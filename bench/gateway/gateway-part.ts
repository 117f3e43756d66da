import { markdownTable } from '../../verify/markdown.ts'
import { figure } from '../figure.ts'
import type { Finding, Goal, Part } from '../part.ts'
import { GATEWAYS, type GatewayName, startGateways } from './gateway-servers.ts'
import {
  type GatewayOptions,
  type GatewayRow,
  type LoadTitle,
  measureLoads,
  measureZael,
  type ZaelFigures,
} from './measure-gateway.ts'

const QUICK: GatewayOptions = { seconds: 1, rounds: 2, warmUpCalls: 10_000, warmUpSeconds: 4, slowSeconds: 6 }

/** About seven minutes, when the other gateways have been installed. */
const FULL: GatewayOptions = {
  seconds: 2,
  rounds: 5,
  warmUpCalls: 30_000,
  warmUpSeconds: 10,
  slowSeconds: 25,
}

/** Calls of a model through zael and through other gateways. */
export const gatewayPart: Part = {
  name: 'gateway',
  title: 'Calls of a model that answers at once, each gateway on one process',
  async run({ isQuick, onProgress }) {
    const options = isQuick ? QUICK : FULL
    const gateways = await startGateways({ onProgress })
    try {
      for (const reason of gateways.missing) onProgress(`not measured: ${reason}`)
      const rows = await measureLoads(gateways, options, onProgress)
      return gatewayFinding(rows, await measureZael(gateways, options, onProgress), gateways.missing)
    } finally {
      await gateways.stop()
    }
  },
}

export const gatewayFinding = (
  rows: readonly GatewayRow[],
  zael: ZaelFigures,
  missing: readonly string[],
): Finding => ({
  rows: [...rows, zael],
  markdown: [
    markdownTable<GatewayRow>(
      [
        ['load', ({ load }) => load],
        ['between', ({ gateway }) => GATEWAYS[gateway]],
        ['calls/s', ({ perSecond }) => figure(perSecond)],
        ['CPU µs', ({ cpuMicros }) => figure(cpuMicros)],
        ['of it serving', ({ mainMicros }) => servingText(mainMicros)],
        ['p50 ms', ({ p50Ms }) => figure(p50Ms)],
        ['p99 ms', ({ p99Ms }) => figure(p99Ms)],
        ['first bytes p50 ms', ({ firstP50Ms }) => figure(firstP50Ms)],
        ['first bytes p99 ms', ({ firstP99Ms }) => figure(firstP99Ms)],
      ],
      rows,
    ),
    ...missing.map((reason) => `Not measured: ${reason}`),
  ].join('\n\n'),
  goals: goalsOf(rows, zael),
  charts: [],
})

const servingText = (micros: number): string => (Number.isNaN(micros) ? '–' : figure(micros))

const most = (what: string, value: number, goal: number): Goal => ({ what, value, bound: 'at most', goal })

const goalsOf = (rows: readonly GatewayRow[], zael: ZaelFigures): readonly Goal[] => {
  const at = (load: LoadTitle, gateway: GatewayName): GatewayRow | undefined =>
    rows.find((row) => row.load === load && row.gateway === gateway)
  const ratio = (other: GatewayName): number =>
    (at('16 callers', 'zael')?.perSecond ?? Number.NaN) / (at('16 callers', other)?.perSecond ?? Number.NaN)
  const added = (load: LoadTitle, time: 'p50Ms' | 'p99Ms' | 'firstP99Ms', to: GatewayName): number =>
    (at(load, 'zael')?.[time] ?? Number.NaN) - (at(load, to)?.[time] ?? Number.NaN)
  const compared = ([peer, goal]: readonly [GatewayName, number]): Goal => ({
    what: `calls/s, 16 callers, × ${GATEWAYS[peer]}`,
    value: ratio(peer),
    bound: 'at least',
    goal,
  })
  return [
    ...MULTIPLES.filter(([peer]) => at('16 callers', peer) !== undefined).map(compared),
    most('share of the calls/s that limits cost, 16 callers', 1 - ratio('bypassed'), 0.1),
    most('p99 that limits add, 1 caller, ms', added('1 caller', 'p99Ms', 'bypassed'), 0.1),
    most('p50 that zael adds, 1 caller, ms', added('1 caller', 'p50Ms', 'direct'), 0.5),
    most('p99 that zael adds, 1 caller, ms', added('1 caller', 'p99Ms', 'direct'), 2.5),
    most('first bytes of 64 streams, p99 that zael adds, ms', added('64 streams', 'firstP99Ms', 'direct'), 5),
    ...zaelGoals(zael),
  ]
}

const zaelGoals = (zael: ZaelFigures): readonly Goal[] => [
  most(
    'writes to buckets per chat, a hot key, 64 callers, an upstream of 50 ms to 1.5 s',
    zael.writesPerChat,
    0.1,
  ),
  most('a prompt of 100 KB: p50 that zael adds, ms', zael.longPromptAddedMs, 3),
  most('beside long prompts: another caller’s p99, × alone', zael.otherBesideP99Ms / zael.otherAloneP99Ms, 2),
]

/** Least calls per second, as a multiple of other gateways. */
const MULTIPLES: readonly (readonly [GatewayName, number])[] = [
  ['portkey', 4],
  ['liteLlm', 40],
  ['passThrough', 0.35],
]
