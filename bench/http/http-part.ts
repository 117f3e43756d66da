import { markdownTable } from '../../verify/markdown.ts'
import { barChart } from '../charts/bar-chart.ts'
import { figure } from '../figure.ts'
import type { Finding, Part } from '../part.ts'
import { type HttpRow, measureHttp } from './measure-http.ts'

const CONNECTIONS = 64

/** The routes with a leased key, compared with a bare Hono handler. */
export const httpPart: Part = {
  name: 'http',
  title: `HTTP on one process, ${CONNECTIONS} connections`,
  async run({ isQuick }) {
    const length = isQuick
      ? { seconds: 1, rounds: 2, warmUpSeconds: 1 }
      : { seconds: 2, rounds: 5, warmUpSeconds: 3 }
    return findingOf(await measureHttp({ connections: CONNECTIONS, ...length }))
  },
}

export const findingOf = (rows: readonly HttpRow[]): Finding => {
  const check = rows.find(({ route }) => route === '/v1/limits/check')
  return {
    rows,
    markdown: markdownTable<HttpRow>(
      [
        ['route', ({ route }) => `\`${route}\``],
        ['requests/s', ({ perSecond }) => figure(perSecond)],
        ['bare Hono/s', ({ barePerSecond }) => figure(barePerSecond)],
        ['of bare', ({ ofBare }) => figure(ofBare)],
        ['CPU µs', ({ cpuMicros }) => figure(cpuMicros)],
        ['bare CPU µs', ({ bareCpuMicros }) => figure(bareCpuMicros)],
        ['p50 ms', ({ p50Ms }) => figure(p50Ms)],
        ['p99 ms', ({ p99Ms }) => figure(p99Ms)],
        ['bare p50', ({ bareP50Ms }) => figure(bareP50Ms)],
        ['bare p99', ({ bareP99Ms }) => figure(bareP99Ms)],
      ],
      rows,
    ),
    goals: [
      {
        what: 'check on a leased key: of bare Hono',
        value: check?.ofBare ?? 0,
        bound: 'at least',
        goal: 0.6,
      },
      { what: 'check: requests per second', value: check?.perSecond ?? 0, bound: 'at least', goal: 10_000 },
    ],
    charts: [
      {
        file: 'bench-http.svg',
        svg: barChart({
          title: 'Requests a second',
          unit: `${CONNECTIONS} connections, one process, loopback`,
          scale: 'linear',
          groups: rows.map(({ route, perSecond, barePerSecond }) => ({
            title: route,
            bars: [
              { title: 'bare Hono handler', value: barePerSecond },
              { title: 'zael', value: perSecond },
            ],
          })),
        }),
      },
    ],
  }
}
