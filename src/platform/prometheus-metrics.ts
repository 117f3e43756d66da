import { AggregatorRegistry, Counter, collectDefaultMetrics, Registry } from 'prom-client'
import type { MetricName, Metrics } from '../core/ports/platform.ts'
import type { UpstreamMetricName, UpstreamMetrics, UpstreamStates } from '../core/ports/upstreams.ts'
import { countUpstreams, occurred, TIME_BOUNDS, type Times, type UpstreamCounts } from './upstream-metrics.ts'

const HELP: Readonly<Record<MetricName, string>> = {
  decisions_allowed: 'Decisions that allowed the request',
  decisions_denied: 'Decisions that denied the request',
  decisions_degraded: 'Decisions made in part without the store',
  decisions_contended: 'Decisions denied because every attempt to write was overtaken',
  limits_near: 'Limits found nearly used up (warn_at) by a decision',
  limits_exceeded: 'Limits of mode warn or shadow found exceeded by a decision',
  bucket_writes: 'Conditional writes sent to buckets',
  bucket_reads: 'Reads of buckets',
  charges_throttled: 'Charges that the table throttled',
  refunds_lost: 'Refunds whose outcome is unknown, or that no longer applied',
  authentication_failures: 'Requests without a valid key or token',
  usage_hours_recorded: 'Hours of usage the aggregator wrote or raised',
  usage_records_failed: 'Stream records the aggregator reported as failed',
  alerts_raised: 'Shares of limits that alerts reported as reached',
  alerts_delivered: 'Alerts that their receiver accepted',
  alerts_failed: 'Alerts given up after the last attempt',
  alert_attempts_failed: 'Attempts to deliver an alert that failed',
}

const UPSTREAM_HELP: Readonly<Record<UpstreamMetricName, string>> = {
  upstream_requests: 'Requests to upstreams, by how they ended',
  upstream_fallbacks: 'Requests that were sent to the next upstream of the model instead',
  upstream_rests: 'Times an upstream began to rest after failures',
  upstream_response_seconds: 'Time until the head of a response of an upstream',
  upstream_first_event_seconds: 'Time until the first event of a stream of an upstream',
  upstream_resting: 'Processes in which an upstream rests now',
  upstream_factor:
    'The least share of their limits that callers have on a model, where its upstream is adaptive',
}

export interface PrometheusMetrics extends Metrics {
  readonly upstreams: UpstreamMetrics
  /** The states that every text shows. */
  watch(states: UpstreamStates): void
  /** Everything, in Prometheus' text format, with those of the process. */
  text(): Promise<string>
  /** Everything, as plain data for `sumOfMetrics`. */
  snapshot(): Promise<MetricsSnapshot>
}

/** The metrics of one process, in a form that can be sent to another. */
export type MetricsSnapshot = readonly object[]

/** The metrics of several processes as one text: sums; means of delays; no start times. */
export const sumOfMetrics = (snapshots: readonly MetricsSnapshot[]): Promise<string> =>
  AggregatorRegistry.aggregate([...snapshots]).metrics()

const isMetricName = (name: string): name is MetricName => Object.hasOwn(HELP, name)

/** Counters named `zael_<metric>_total`, all there from the start with 0; those of upstreams once something happened. */
export const createPrometheusMetrics = (): PrometheusMetrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counters = new Map<MetricName, Counter>()
  for (const name of Object.keys(HELP).filter(isMetricName)) {
    counters.set(name, new Counter({ name: `zael_${name}_total`, help: HELP[name], registers: [registry] }))
  }
  const upstreams = countUpstreams()
  let states: UpstreamStates = { upstreamStates: () => [] }
  const ofUpstreams = () => upstreamMetrics(upstreams.all(), states)
  return {
    count: (name, by = 1) => counters.get(name)?.inc(by),
    upstreams,
    watch: (watched) => {
      states = watched
    },
    text: async () => `${await registry.metrics()}\n${await sumOfMetrics([ofUpstreams()])}`,
    snapshot: async () => [...(await registry.getMetricsAsJSON()), ...ofUpstreams()],
  }
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

/** A metric as prom-client represents it between processes. */
const metricOf = (
  of: UpstreamMetricName,
  type: 'counter' | 'gauge' | 'histogram',
  values: (name: string) => readonly Sample[],
) => {
  const name = type === 'counter' ? `zael_${of}_total` : `zael_${of}`
  return { name, help: UPSTREAM_HELP[of], type, values: values(name), aggregator: 'sum' }
}

const upstreamMetrics = (
  all: readonly UpstreamCounts[],
  { upstreamStates }: UpstreamStates,
): MetricsSnapshot => [
  metricOf('upstream_requests', 'counter', () =>
    all.flatMap((each) =>
      occurred(each).map(([outcome, value]) => ({ labels: { ...labelsOf(each), outcome }, value })),
    ),
  ),
  metricOf('upstream_fallbacks', 'counter', () =>
    all.map((each) => ({ labels: labelsOf(each), value: each.fallbacks })),
  ),
  metricOf('upstream_rests', 'counter', () =>
    all.map((each) => ({ labels: labelsOf(each), value: each.rests })),
  ),
  metricOf('upstream_response_seconds', 'histogram', (name) =>
    all.flatMap((each) => samplesOf(name, labelsOf(each), each.response)),
  ),
  metricOf('upstream_first_event_seconds', 'histogram', (name) =>
    all.flatMap((each) => samplesOf(name, labelsOf(each), each.firstEvent)),
  ),
  metricOf('upstream_resting', 'gauge', () =>
    upstreamStates().map((state) => ({ labels: labelsOf(state), value: Number(state.restsUntil !== null) })),
  ),
  {
    ...metricOf('upstream_factor', 'gauge', () =>
      upstreamStates().map((state) => ({ labels: labelsOf(state), value: state.factor })),
    ),
    aggregator: 'min',
  },
]

const labelsOf = ({ upstream, model }: Pick<UpstreamCounts, 'upstream' | 'model'>) => ({ upstream, model })

/** The samples of a histogram: each class includes the smaller ones. */
const samplesOf = (
  name: string,
  labels: ReturnType<typeof labelsOf>,
  { classes, sum, count }: Times,
): readonly Sample[] => {
  if (count === 0) return []
  const metricName = `${name}_bucket`
  let below = 0
  const buckets = TIME_BOUNDS.map((le, at) => {
    below += classes[at] ?? 0
    return { metricName, labels: { ...labels, le }, value: below }
  })
  return [
    ...buckets,
    { metricName, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
