import './stats.css'
import { useState } from 'preact/hooks'
import type { Traffic } from '../api/answers.ts'
import { Segments } from '../parts/choosing/segments.tsx'
import { Empty } from '../parts/empty.tsx'
import { ErrorNotice, Notice } from '../parts/notice.tsx'
import { momentText } from '../parts/time.ts'
import { hrefOf } from '../shell/route.ts'
import { PERIODS, partialText, periodText } from './stats-text.ts'
import { TopDenied } from './top-denied.tsx'
import { Totals } from './totals.tsx'
import { TrafficChart } from './traffic-chart.tsx'
import { useTraffic } from './use-traffic.ts'

export const Stats = () => {
  const [granularity, setGranularity] = useState<Traffic['granularity']>('hour')
  const { data, error, isLoading } = useTraffic(granularity)
  return (
    <>
      <header class="view-head">
        <h1>Stats</h1>
        <Segments
          label="Period"
          value={granularity}
          options={PERIODS}
          onValue={(chosen) => setGranularity(chosen)}
        />
      </header>
      <ErrorNotice error={error} />
      {data === undefined ? (
        isLoading && <p class="quiet stats-place">Counting…</p>
      ) : (
        <TrafficOf traffic={data} />
      )}
    </>
  )
}

const TrafficOf = ({ traffic }: { readonly traffic: Traffic }) => {
  const partial = partialText(traffic)
  const isEmpty = traffic.admitted + traffic.denied === 0
  return (
    <>
      {partial !== undefined && <Notice kind="info">{partial}</Notice>}
      {isEmpty ? (
        <NothingAsked granularity={traffic.granularity} />
      ) : (
        <>
          <Totals traffic={traffic} />
          <TrafficChart traffic={traffic} />
          <TopDenied traffic={traffic} />
        </>
      )}
      <p class="quiet stats-note">
        Counted up to {momentText(traffic.read_at)}. Requests show some seconds after they were answered; what
        was decided by policies alone is not among them.
      </p>
    </>
  )
}

const NothingAsked = ({ granularity }: Pick<Traffic, 'granularity'>) => (
  <section class="card">
    <Empty title={`Nothing was asked ${periodText(granularity)}`}>
      <p>
        <a href={hrefOf({ view: 'try', id: undefined })}>Try a request</a>: it is counted here some seconds
        later.
      </p>
    </Empty>
  </section>
)
