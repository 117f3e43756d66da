import { useMemo } from 'preact/hooks'
import type { Usage } from '../api/responses.ts'
import { amountText, numberText } from '../parts/amounts.ts'
import { Chart } from '../parts/chart.tsx'
import { startText } from '../parts/time.ts'

interface UsageChartsProps {
  readonly points: readonly UsagePoint[]
  readonly granularity: Granularity
}

/** Usage over time, as one chart of requests and one of tokens, and as a table. */
export const UsageCharts = ({ points, granularity }: UsageChartsProps) => {
  const times = useMemo(() => points.map(({ start }) => start), [points])
  const requests = useMemo(
    () => [
      { name: 'Requests', colour: '--series-1', values: points.map((point) => point.requests) },
      { name: 'Denied', colour: '--series-2', values: points.map(({ denied }) => denied) },
    ],
    [points],
  )
  const tokens = useMemo(
    () => [{ name: 'Tokens', colour: '--series-3', values: points.map((point) => point.tokens) }],
    [points],
  )
  const by = granularity === 'hour' ? 'by hour' : 'by UTC day'
  return (
    <>
      <div class="columns">
        <div class="usage-chart">
          <h3>Requests {by}</h3>
          <Chart
            label={`Requests and denied requests ${by}; the table below has the numbers`}
            times={times}
            series={requests}
          />
        </div>
        <div class="usage-chart">
          <h3>Tokens {by}</h3>
          <Chart label={`Tokens ${by}; the table below has the numbers`} times={times} series={tokens} />
        </div>
      </div>
      <details>
        <summary>The numbers as a table</summary>
        <UsageTable points={points} granularity={granularity} />
      </details>
    </>
  )
}

const COLUMNS: readonly (readonly [string, (point: UsagePoint) => string])[] = [
  ['Requests', ({ requests }) => numberText(requests)],
  ['Denied', ({ denied }) => numberText(denied)],
  ['Tokens', ({ tokens }) => numberText(tokens)],
  ['Input', ({ input_tokens }) => numberText(input_tokens)],
  ['Output', ({ output_tokens }) => numberText(output_tokens)],
  ['Cost', ({ cost_usd_micros }) => amountText('cost_usd_micros', cost_usd_micros)],
]

/** Newest first. */
const UsageTable = ({ points, granularity }: UsageChartsProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
  <section class="table-scroll" aria-label="Usage as a table" tabIndex={0}>
    <table>
      <thead>
        <tr>
          <th scope="col">{granularity === 'hour' ? 'Hour' : 'UTC day'}</th>
          {COLUMNS.map(([name]) => (
            <th key={name} scope="col" class="number">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {points.toReversed().map((point) => (
          <tr key={point.start}>
            <th scope="row">{startText(point.start, granularity)}</th>
            {COLUMNS.map(([name, textOf]) => (
              <td key={name} class="number">
                {textOf(point)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
)

export type Granularity = 'hour' | 'day'
export type UsagePoint = Omit<Usage['points'][number], 'resource'>

const UNIT_SECONDS = { hour: 3600, day: 86_400 } as const
const SHOWN = { hour: 24, day: 30 } as const

export interface Period {
  readonly granularity: Granularity
  /** Seconds since the epoch. */
  readonly now: number
}

const nothingAt = (start: number): UsagePoint => ({
  start,
  requests: 0,
  tokens: 0,
  input_tokens: 0,
  output_tokens: 0,
  cost_usd_micros: 0,
  denied: 0,
})

/** The usage of each of the last 24 hours or 30 UTC days, including idle ones; oldest first. */
export const usageOverTime = (
  points: Usage['points'],
  { granularity, now }: Period,
): readonly UsagePoint[] => {
  const unit = UNIT_SECONDS[granularity]
  // The server's clock may be ahead of the browser's.
  const last = Math.max(Math.floor(now / unit) * unit, ...points.map(({ start }) => start))
  const starts = Array.from({ length: SHOWN[granularity] }, (_, ago) => last - ago * unit).toReversed()
  return starts.map((start) => ({ ...sumOf(points.filter((point) => point.start === start)), start }))
}

/** The sum of all points. */
export const sumOf = (points: readonly UsagePoint[]): UsagePoint =>
  points.reduce(
    (sum, point) => ({
      start: sum.start,
      requests: sum.requests + point.requests,
      tokens: sum.tokens + point.tokens,
      input_tokens: sum.input_tokens + point.input_tokens,
      output_tokens: sum.output_tokens + point.output_tokens,
      cost_usd_micros: sum.cost_usd_micros + point.cost_usd_micros,
      denied: sum.denied + point.denied,
    }),
    nothingAt(0),
  )

/** The resources of the points, by name. */
export const usedResources = (points: Usage['points']): readonly string[] =>
  [...new Set(points.map(({ resource }) => resource))].toSorted()
