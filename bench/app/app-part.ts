import { markdownTable } from '../../verify/markdown.ts'
import { figure } from '../figure.ts'
import type { Finding, Goal, Part } from '../part.ts'
import type { App, AppName } from './apps.ts'
import { type AppRow, measureApps } from './measure-app.ts'

const CONNECTIONS = 64

/** The middlewares of the package, other middlewares, and apps without one. */
export const appPart: Part = {
  name: 'app',
  title: `Middlewares: GET / of 11 bytes, one process each, ${CONNECTIONS} connections`,
  async run({ isQuick, engineUrl, onProgress }) {
    const length = isQuick
      ? { seconds: 1, rounds: 3, warmUpRequests: 6000, warmUpSeconds: 1 }
      : { seconds: 1, rounds: 8, warmUpRequests: 20_000, warmUpSeconds: 5 }
    return appFinding(await measureApps({ connections: CONNECTIONS, engineUrl, ...length }, onProgress))
  },
}

export const appFinding = (rows: readonly AppRow[]): Finding => ({
  rows,
  markdown: markdownTable<AppRow>(
    [
      ['', ({ app }) => app.framework],
      ['limiter', ({ app }) => app.title],
      ['CPU µs per request', ({ leastCpuMicros }) => figure(leastCpuMicros)],
      ['median', ({ cpuMicros }) => figure(cpuMicros)],
      ['requests/s', ({ perSecond }) => figure(perSecond)],
      ['p50 ms', ({ p50Ms }) => figure(p50Ms)],
      ['p99 ms', ({ p99Ms }) => figure(p99Ms)],
      ['writes per request', ({ writes }) => figure(writes)],
    ],
    rows,
  ),
  goals: [
    ...goalsOf(rows, 'hono', 'hono-rate-limiter', 1.5),
    ...goalsOf(rows, 'express', 'express-rate-limit', 1.2),
  ],
  charts: [],
  excerpt: { document: 'docs/adopting.md', markdown: comparison(rows) },
})

/** What a limiter adds to a request of the bare app. */
const comparison = (rows: readonly AppRow[]): string => {
  const bareCpu = ({ framework }: App): number =>
    rows.find(({ app }) => app.framework === framework && app.title === 'bare')?.cpuMicros ?? Number.NaN
  return markdownTable<AppRow>(
    [
      ['limiter', ({ app }) => app.title],
      ['in', ({ app }) => app.framework],
      ['added CPU per request, µs', ({ app, cpuMicros }) => figure(cpuMicros - bareCpu(app))],
      ['requests/s', ({ perSecond }) => figure(perSecond)],
      ['writes per request', ({ writes }) => figure(writes)],
    ],
    rows.filter(({ app }) => app.title !== 'bare'),
  )
}

const goalsOf = (
  rows: readonly AppRow[],
  framework: 'hono' | 'express',
  peer: AppName,
  goal: number,
): readonly Goal[] => {
  const cpuOf = (name: AppName): number => rows.find(({ app }) => app.name === name)?.cpuMicros ?? Number.NaN
  return (['memory', 'leased'] as const).map((store) => ({
    what: `${framework}, ${store}: CPU per request, × ${peer}`,
    value: cpuOf(`${framework}-zael-${store}`) / cpuOf(peer),
    bound: 'at most',
    goal,
  }))
}
