import './usage.css'
import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { useQuery, useRefresh } from '../api/hooks.ts'
import type { Usage } from '../api/responses.ts'
import { amountText, numberText } from '../parts/amounts.ts'
import { SegmentedControl } from '../parts/controls.tsx'
import { EmptyState, ErrorNotice } from '../parts/notices.tsx'
import {
  type Granularity,
  sumOf,
  UsageCharts,
  type UsagePoint,
  usageOverTime,
  usedResources,
} from './usage-charts.tsx'

const PERIODS: readonly (readonly [Granularity, string])[] = [
  ['hour', 'Last 24 hours'],
  ['day', 'Last 30 days'],
]

const ALL_RESOURCES = ''

interface UsagePanelProps {
  /** The entity whose usage is read. */
  readonly entityId: string
  readonly refreshMs: number
  read(granularity: Granularity, signal: AbortSignal): Promise<Usage>
  /** Shown if nothing was used. */
  readonly children: ComponentChildren
}

/** The usage of an entity, by hour or by day. */
export const UsagePanel = ({ entityId, refreshMs, read, children }: UsagePanelProps) => {
  const [granularity, setGranularity] = useState<Granularity>('hour')
  const [resource, setResource] = useState(ALL_RESOURCES)
  const result = useQuery(
    async (signal) => {
      const usage = await read(granularity, signal)
      return { granularity, points: usage.points }
    },
    [entityId, granularity],
  )
  useRefresh(result, refreshMs)
  const points = useStable(result.data?.points ?? NONE)
  const shown = points.filter((point) => resource === ALL_RESOURCES || point.resource === resource)
  return (
    <section class="card" aria-label="Usage">
      <div class="card-head">
        <h2>Usage</h2>
        <div class="actions">
          <ResourceFilter value={resource} resources={usedResources(points)} onValue={setResource} />
          <SegmentedControl
            label="Period"
            value={granularity}
            options={PERIODS}
            onValue={(chosen) => setGranularity(chosen)}
          />
        </div>
      </div>
      <ErrorNotice error={result.error} />
      {result.data ? (
        <UsageContent points={shown} granularity={result.data.granularity}>
          {children}
        </UsageContent>
      ) : (
        !result.error && <p class="quiet">Loading…</p>
      )}
    </section>
  )
}

const NONE: Usage['points'] = []

/** The same object while its JSON is the same, so that charts are not redrawn after every refresh. */
const useStable = <T,>(value: T): T => useMemo(() => value, [JSON.stringify(value)])

interface FilterProps {
  readonly value: string
  readonly resources: readonly string[]
  onValue(resource: string): void
}

const ResourceFilter = ({ value, resources, onValue }: FilterProps) => (
  <label class="usage-resource">
    <span class="unseen">Resource</span>
    <select value={value} onChange={(event) => onValue(event.currentTarget.value)}>
      <option value={ALL_RESOURCES}>All resources</option>
      {resources.map((resource) => (
        <option key={resource} value={resource}>
          {resource}
        </option>
      ))}
    </select>
  </label>
)

interface UsageContentProps {
  readonly points: Usage['points']
  readonly granularity: Granularity
  readonly children: ComponentChildren
}

const UsageContent = ({ points, granularity, children }: UsageContentProps) => {
  const steady = useStable(points)
  const overTime = useMemo(
    () => usageOverTime(steady, { granularity, now: Date.now() / 1000 }),
    [steady, granularity],
  )
  if (points.length === 0)
    return (
      <EmptyState title={`No use in the last ${granularity === 'hour' ? '24 hours' : '30 days'}`}>
        {children}
      </EmptyState>
    )
  return (
    <>
      <UsageTotals points={overTime} />
      <UsageCharts points={overTime} granularity={granularity} />
    </>
  )
}

/** The sums of the period. */
export const UsageTotals = ({ points }: { readonly points: readonly UsagePoint[] }) => {
  const sum = sumOf(points)
  const totals = [
    ['Requests', numberText(sum.requests)],
    ['Denied', numberText(sum.denied)],
    ['Tokens', numberText(sum.tokens)],
    ['Input tokens', numberText(sum.input_tokens)],
    ['Output tokens', numberText(sum.output_tokens)],
    ...(sum.cost_usd_micros > 0
      ? [['Cost', amountText('cost_usd_micros', sum.cost_usd_micros)] as const]
      : []),
  ] as const
  return (
    <dl class="usage-totals">
      {totals.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="number">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
