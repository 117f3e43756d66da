import './stats.css'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { type QueryResult, useQuery } from '../api/hooks.ts'
import type { Traffic } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { numberText, percentText } from '../parts/amounts.ts'
import { Chart } from '../parts/chart.tsx'
import { SegmentedControl } from '../parts/controls.tsx'
import { EmptyState, ErrorNotice, Notice } from '../parts/notices.tsx'
import { hrefOf } from '../parts/route.ts'
import { momentText, startText } from '../parts/time.ts'

export const StatsView = () => {
  const [granularity, setGranularity] = useState<Traffic['granularity']>('hour')
  const { data, error, isLoading } = useTraffic(granularity)
  return (
    <>
      <header class="view-head">
        <h1>Stats</h1>
        <SegmentedControl
          label="Period"
          value={granularity}
          options={PERIODS}
          onValue={(chosen) => setGranularity(chosen)}
        />
      </header>
      <ErrorNotice error={error} />
      {data === undefined ? (
        isLoading && <p class="quiet stats-place">Loading…</p>
      ) : (
        <TrafficSummary traffic={data} />
      )}
    </>
  )
}

const TrafficSummary = ({ traffic }: { readonly traffic: Traffic }) => {
  const partial = partialText(traffic)
  const isEmpty = traffic.admitted + traffic.denied === 0
  return (
    <>
      {partial !== undefined && <Notice kind="info">{partial}</Notice>}
      {isEmpty ? (
        <NoTraffic granularity={traffic.granularity} />
      ) : (
        <>
          <Totals traffic={traffic} />
          <TrafficChart traffic={traffic} />
          <TopDenied traffic={traffic} />
        </>
      )}
      <p class="quiet stats-note">
        Counted up to {momentText(traffic.read_at)}. Requests appear a few seconds after their response.
        Checks of policies alone are not included.
      </p>
    </>
  )
}

const NoTraffic = ({ granularity }: Pick<Traffic, 'granularity'>) => (
  <section class="card">
    <EmptyState title={`No requests ${periodText(granularity)}`}>
      <p>
        <a href={hrefOf({ view: 'try', id: undefined })}>Send a test request</a>: it is counted here a few
        seconds later.
      </p>
    </EmptyState>
  </section>
)

/** The server caches these numbers for this long. */
const REFRESH_MS = 30_000

/** The traffic of a period, refreshed while the tab is visible. */
export const useTraffic = (granularity: Traffic['granularity']): QueryResult<Traffic> => {
  const { api } = useSession()
  const result = useQuery(
    (signal) => api.get<Traffic>('api/dashboard/stats', { granularity }, signal),
    [granularity],
  )
  const { reload } = result
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), REFRESH_MS)
    return () => clearInterval(timer)
  }, [reload])
  return result
}

/** The sums of the period. */
export const Totals = ({ traffic }: { readonly traffic: Traffic }) => (
  <dl class="totals" aria-label={`Sums ${periodText(traffic.granularity)}`}>
    <Total name="Admitted" text={numberText(traffic.admitted)} kind="admitted" />
    <Total name="Denied" text={numberText(traffic.denied)} kind="denied" />
    <Total name="Share denied" text={deniedShareText(traffic)} kind="share-denied" />
  </dl>
)

interface TotalProps {
  readonly name: string
  readonly text: string
  readonly kind: string
}

const Total = ({ name, text, kind }: TotalProps) => (
  <div class={`card total ${kind}`}>
    <dt>{name}</dt>
    <dd class="number">{text}</dd>
  </div>
)

/** Admitted and denied requests over time, as a chart and as a table. */
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

/** The entities with the most denials, and their share of all denials. */
export const TopDenied = ({ traffic }: { readonly traffic: Traffic }) => (
  <section class="card" aria-labelledby="top-denied-title">
    <h2 id="top-denied-title">Most denied</h2>
    {traffic.top_denied.length === 0 ? (
      <p class="quiet">No request was denied {periodText(traffic.granularity)}.</p>
    ) : (
      <table class="top-denied">
        <thead>
          <tr>
            <th scope="col">Entity</th>
            <th scope="col" class="number">
              Denied
            </th>
            <th scope="col" class="number">
              Share of denials
            </th>
          </tr>
        </thead>
        <tbody>
          {traffic.top_denied.map((entity) => (
            <Row key={entity.entity_id} entity={entity} />
          ))}
        </tbody>
      </table>
    )}
  </section>
)

const Row = ({ entity }: { readonly entity: Traffic['top_denied'][number] }) => {
  const { entity_id: id, name, denied, share_percent } = entity
  return (
    <tr>
      <td>
        <a href={hrefOf({ view: 'entity', id })}>{name}</a>
        {name !== id && <span class="mono quiet denied-id">{id}</span>}
      </td>
      <td class="number">{numberText(denied)}</td>
      <td class="number">
        <span class="share">
          <span class="share-bar" aria-hidden="true">
            <span class="share-fill" style={{ transform: `scaleX(${share_percent / 100})` }} />
          </span>
          <span class="share-text">{percentText(share_percent)}</span>
        </span>
      </td>
    </tr>
  )
}

type Granularity = Traffic['granularity']

export const PERIODS: readonly (readonly [Granularity, string])[] = [
  ['hour', 'Last 24 hours'],
  ['day', 'Last 30 days'],
]

/** `in the last 24 hours` */
export const periodText = (granularity: Granularity): string =>
  granularity === 'hour' ? 'in the last 24 hours' : 'in the last 30 days'

/** The share of denied requests: `12.5 %`; – without requests. */
export const deniedShareText = ({ admitted, denied }: Pick<Traffic, 'admitted' | 'denied'>): string => {
  const total = admitted + denied
  return total === 0 ? '–' : percentText((denied / total) * 100)
}

/** A note that not all entities were read; undefined if all were. */
export const partialText = ({
  is_partial,
  entities_read,
}: Pick<Traffic, 'is_partial' | 'entities_read'>): string | undefined =>
  is_partial
    ? `There are too many entities to read all of them: these numbers cover the first ${numberText(entities_read)} by id.`
    : undefined
