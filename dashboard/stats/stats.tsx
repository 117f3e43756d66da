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
        isLoading && <p class="quiet stats-place">Loading…</p>
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
        Counted up to {momentText(traffic.read_at)}. Requests appear a few seconds after their response.
        Checks of policies alone are not included.
      </p>
    </>
  )
}

const NothingAsked = ({ granularity }: Pick<Traffic, 'granularity'>) => (
  <section class="card">
    <Empty title={`No requests ${periodText(granularity)}`}>
      <p>
        <a href={hrefOf({ view: 'try', id: undefined })}>Send a test request</a>: it is counted here a few
        seconds later.
      </p>
    </Empty>
  </section>
)
