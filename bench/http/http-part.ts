import { markdownTable } from '../../verify/markdown.ts'
import { barChart } from '../charts/bar-chart.ts'
import { figure } from '../figure.ts'
import type { Finding, Goal, Part } from '../part.ts'
import { type HttpRow, measureHttp, SERVERS, type ServerName } from './measure-http.ts'

const CONNECTIONS = 64

/** The routes with a leased key, compared with bare Hono handlers. */
export const httpPart: Part = {
  name: 'http',
  title: `HTTP on one process, ${CONNECTIONS} connections`,
  async run({ isQuick }) {
    const length = isQuick
      ? { seconds: 1, rounds: 3, warmUpRequests: 15_000 }
      : { seconds: 2, rounds: 7, warmUpRequests: 40_000 }
    return findingOf(await measureHttp({ connections: CONNECTIONS, ...length }))
  },
}

export const findingOf = (rows: readonly HttpRow[]): Finding => ({
  rows,
  markdown: markdownTable<HttpRow>(
    [
      ['route', ({ route }) => `\`${route}\``],
      ['server', ({ server }) => SERVERS[server]],
      ['requests/s', ({ perSecond }) => figure(perSecond)],
      ['of bare', ({ ofBare }) => figure(ofBare)],
      ['CPU µs', ({ cpuMicros }) => figure(cpuMicros)],
      ['of it serving', ({ mainMicros }) => figure(mainMicros)],
      ['p50 ms', ({ p50Ms }) => figure(p50Ms)],
      ['p99 ms', ({ p99Ms }) => figure(p99Ms)],
    ],
    rows,
  ),
  goals: goalsOf(rows),
  charts: [
    {
      file: 'bench-http.svg',
      svg: barChart({
        title: 'Requests a second',
        unit: `${CONNECTIONS} connections, one process, loopback`,
        scale: 'linear',
        groups: [...new Set(rows.map(({ route }) => route))].map((route) => ({
          title: route,
          bars: rows
            .filter((row) => row.route === route)
            .map(({ server, perSecond }) => ({ title: SERVERS[server], value: perSecond })),
        })),
      }),
    },
  ],
})

const goalsOf = (rows: readonly HttpRow[]): readonly Goal[] => {
  const on = (route: string) => (server: ServerName) => {
    const found = rows.find((row) => row.route === route && row.server === server)
    if (found === undefined) throw new Error(`${server} was not measured on ${route}`)
    return found
  }
  const [check, chat] = [on('/v1/limits/check'), on('/v1/chat/completions')]
  return [
    {
      what: 'check on a leased key: of bare Hono',
      value: check('zael').ofBare,
      bound: 'at least',
      goal: 0.6,
    },
    {
      what: 'check: of bare Hono with the same headers and body',
      value: check('zael').perSecond / check('same').perSecond,
      bound: 'at least',
      goal: 1,
    },
    { what: 'chat: of bare Hono', value: chat('zael').ofBare, bound: 'at least', goal: 0.35 },
    {
      what: "check: the limiter's CPU, µs",
      value: check('zael').cpuMicros - check('bypassed').cpuMicros,
      bound: 'at most',
      goal: 15,
    },
    {
      what: 'the same without the threads of the engine and of garbage collection',
      value: check('zael').mainMicros - check('bypassed').mainMicros,
      bound: 'at most',
      goal: 15,
    },
  ]
}
