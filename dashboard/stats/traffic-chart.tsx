import { useMemo } from 'preact/hooks'
import type { Traffic } from '../api/answers.ts'
import { Chart } from '../parts/chart.tsx'
import { numberText } from '../parts/numbers/number-text.ts'
import { startText } from '../parts/time.ts'
import { periodText } from './stats-text.ts'

/** Admitted and denied over time, as a picture and as a table. */
export const TrafficChart = ({ traffic }: { readonly traffic: Traffic }) => {
  const { points, granularity } = traffic
  const times = useMemo(() => points.map(({ start }) => start), [points])
  const series = useMemo(
    () => [
      { name: 'Admitted', colour: '--series-1', values: points.map(({ admitted }) => admitted) },
      { name: 'Denied', colour: '--series-2', values: points.map(({ denied }) => denied) },
    ],
    [points],
  )
  const title = granularity === 'hour' ? 'By hour' : 'By UTC day'
  return (
    <section class="card" aria-labelledby="traffic-title">
      <h2 id="traffic-title">{title}</h2>
      <Chart
        label={`Requests admitted and denied ${periodText(granularity)}; the table below has the numbers`}
        times={times}
        series={series}
      />
      <details>
        <summary>The numbers as a table</summary>
        <PointsTable traffic={traffic} />
      </details>
    </section>
  )
}

/** Newest first. */
const PointsTable = ({ traffic: { points, granularity } }: { readonly traffic: Traffic }) => (
  <table>
    <thead>
      <tr>
        <th scope="col">{granularity === 'hour' ? 'Hour' : 'UTC day'}</th>
        <th scope="col" class="number">
          Admitted
        </th>
        <th scope="col" class="number">
          Denied
        </th>
      </tr>
    </thead>
    <tbody>
      {points.toReversed().map(({ start, admitted, denied }) => (
        <tr key={start}>
          <td>{startText(start, granularity)}</td>
          <td class="number">{numberText(admitted)}</td>
          <td class="number">{numberText(denied)}</td>
        </tr>
      ))}
    </tbody>
  </table>
)
