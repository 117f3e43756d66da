import { useMemo } from 'preact/hooks'
import { Chart } from '../../parts/chart.tsx'
import { amountText } from '../../parts/numbers/amount-text.ts'
import { numberText } from '../../parts/numbers/number-text.ts'
import { startText } from '../../parts/time.ts'
import type { Granularity, UsagePoint } from './usage-points.ts'

interface Props {
  readonly points: readonly UsagePoint[]
  readonly granularity: Granularity
}

/** Use over time as pictures, requests apart from tokens, and as a table. */
export const UsageCharts = ({ points, granularity }: Props) => {
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

/** Newest first. A region that scrolls can be reached by keyboard. */
const UsageTable = ({ points, granularity }: Props) => (
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
