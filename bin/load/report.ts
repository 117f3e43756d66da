import { masked } from '../../src/core/model/key.ts'
import type { LoadOptions } from './options.ts'
import type { LoadResult } from './run-load.ts'
import { peakCallers } from './stages.ts'
import { type Counts, createHistogram, errorsOf, requestsOf } from './tally.ts'

/** The measurements as JSON. Keys are masked, and numbered in the given order. */
export interface Report {
  readonly duration_seconds: number
  /** Ended by Ctrl-C. */
  readonly interrupted: boolean
  readonly processes: number
  readonly lost_processes: number
  readonly most_callers: number
  readonly requests_per_second: number
  readonly total: ReportedCounts
  /** Of all responses, whatever their status. */
  readonly latency_ms: Readonly<Record<'p50' | 'p95' | 'p99' | 'max', number>>
  readonly by_node: readonly ({ readonly node: string } & ReportedCounts)[]
  readonly by_key: readonly ({ readonly number: number; readonly key: string } & ReportedCounts)[]
}

export interface ReportedCounts {
  readonly requests: number
  readonly success: number
  readonly throttled: number
  readonly errors: number
  readonly errors_by_kind: Readonly<Record<string, number>>
}

const reported = (counts: Counts): ReportedCounts => ({
  requests: requestsOf(counts),
  success: counts.success,
  throttled: counts.throttled,
  errors: errorsOf(counts),
  errors_by_kind: counts.errors,
})

const latencyMs = ({ counts }: LoadResult): Report['latency_ms'] => {
  const histogram = createHistogram()
  histogram.add(counts.latencyUs)
  const ms = (share: number): number => histogram.quantile(share) / 1000
  return { p50: ms(0.5), p95: ms(0.95), p99: ms(0.99), max: histogram.greatest() / 1000 }
}

export const reportOf = (options: LoadOptions, result: LoadResult, interrupted: boolean): Report => {
  const seconds = result.elapsedMs / 1000
  const total = reported(result.total)
  const none: Counts = { success: 0, throttled: 0, errors: {} }
  return {
    duration_seconds: Number(seconds.toFixed(3)),
    interrupted,
    processes: options.processes,
    lost_processes: result.lostProcesses,
    most_callers: peakCallers(options.stages),
    requests_per_second: seconds === 0 ? 0 : Number((total.requests / seconds).toFixed(1)),
    total,
    latency_ms: latencyMs(result),
    by_node: options.nodes.map((node, index) => ({ node, ...reported(result.counts.byNode[index] ?? none) })),
    by_key: options.apiKeys.map((key, index) => ({
      number: index + 1,
      key: masked(key),
      ...reported(result.counts.byKey[index] ?? none),
    })),
  }
}

/** `401 × 60, 429 × 1,204`: errors by how often they occurred, then the throttled requests. */
const outcomes = ({ errors_by_kind: errors, throttled }: ReportedCounts): string => {
  const counts = Object.entries(errors).sort(([, a], [, b]) => b - a)
  if (throttled > 0) counts.push(['429', throttled])
  return counts.map(([kind, count]) => `${kind.replace(/^http_/, '')} × ${number(count)}`).join(', ')
}

/** Why a run failed: one of its processes ended early, or no request succeeded. Undefined: it did not fail. */
export const failureOf = ({ total, lost_processes: lost }: Report): string | undefined => {
  if (lost > 0) return `${lost} processes ended early: their requests are not counted`
  if (total.success > 0) return undefined
  return total.requests === 0 ? 'no request was sent' : `no request succeeded: ${outcomes(total)}`
}

const MOST_ROWS = 20

const HEADINGS = ['requests', 'success', 'throttled', 'errors']

const number = (value: number): string => value.toLocaleString('en')

const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : `  ${((100 * part) / whole).toFixed(1)} %`

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`

const kinds = ({ errors_by_kind: errors }: ReportedCounts): string =>
  Object.entries(errors)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${number(count)}`)
    .join(', ')

/** A row per name; the first column has the width of the longest name. */
const table = (
  title: string,
  rows: readonly (readonly [name: string, counts: ReportedCounts])[],
): string[] => {
  const shown = rows.slice(0, MOST_ROWS)
  const width = Math.max(title.length, ...shown.map(([name]) => name.length))
  const line = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(width)}${cells.map((cell) => cell.padStart(12)).join('')}`
  const lines = shown.map(([name, counts]) => {
    const { requests, success, throttled, errors } = counts
    const cells = [requests, success, throttled, errors].map(number)
    const why = errors > 0 ? `  ${kinds(counts)}` : ''
    return line(name, cells) + why
  })
  const more = rows.length - shown.length
  return [
    '',
    line(title, HEADINGS),
    ...lines,
    ...(more > 0 ? [`  and ${number(more)} more: --json has all`] : []),
  ]
}

/** The measurements as text. If there are many keys, those with the most requests. */
export const reportText = (report: Report): string => {
  const { total, latency_ms: latency } = report
  const busiest = report.by_key.toSorted((a, b) => b.requests - a.requests)
  const lines = [
    `  ${report.duration_seconds.toFixed(1)} s, callers: up to ${number(report.most_callers)}, processes: ${report.processes}${report.interrupted ? ', interrupted' : ''}`,
    '',
    `  requests   ${number(total.requests)}  ${number(report.requests_per_second)}/s`,
    `  success    ${number(total.success)}${percent(total.success, total.requests)}`,
    `  throttled  ${number(total.throttled)}${percent(total.throttled, total.requests)}`,
    `  errors     ${number(total.errors)}${percent(total.errors, total.requests)}  ${kinds(total)}`.trimEnd(),
    `  latency    p50 ${ms(latency.p50)}  p95 ${ms(latency.p95)}  p99 ${ms(latency.p99)}  max ${ms(latency.max)}`,
    ...table(
      'node',
      report.by_node.map((row) => [row.node, row]),
    ),
    ...table(
      'key',
      busiest.map((row) => [`${row.number} ${row.key}`, row]),
    ),
  ]
  return `${lines.join('\n')}\n`
}

const WIDTH = 30

const sum = (totals: readonly Counts[], of: (counts: Counts) => number): number =>
  totals.reduce((all, counts) => all + of(counts), 0)

/** One line with the progress and the counts so far. `share`: of the time, 0 to 1. */
export const progressLine = (totals: readonly Counts[], share: number): string => {
  const filled = Math.round(WIDTH * Math.min(1, share))
  const bar = '#'.repeat(filled).padEnd(WIDTH, '.')
  const count = (of: (counts: Counts) => number): string => sum(totals, of).toLocaleString('en')
  const percent = Math.floor(Math.min(1, share) * 100)
  return `[${bar}] ${percent} %  ${count(requestsOf)} requests, ${count(({ throttled }) => throttled)} throttled, ${count(errorsOf)} errors`
}

/** A line that is overwritten repeatedly on a terminal; prints nothing elsewhere. */
export const createProgress = (stream: NodeJS.WriteStream, durationMs: number) => {
  const beganMs = performance.now()
  const write = (text: string): void => {
    if (stream.isTTY) stream.write(`\r${text}\u001b[K`)
  }
  return {
    show: (totals: readonly Counts[]): void =>
      write(progressLine(totals, (performance.now() - beganMs) / durationMs)),
    clear: (): void => write(''),
  }
}
