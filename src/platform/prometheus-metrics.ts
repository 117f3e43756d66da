import { AggregatorRegistry, Counter, collectDefaultMetrics, Registry } from 'prom-client'
import type { MetricName, Metrics } from '../core/ports/platform.ts'

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
}

export interface PrometheusMetrics extends Metrics {
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

/** Counters named `zael_<metric>_total`, all there from the start with 0. */
export const createPrometheusMetrics = (): PrometheusMetrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counters = new Map<MetricName, Counter>()
  for (const name of Object.keys(HELP).filter(isMetricName)) {
    counters.set(name, new Counter({ name: `zael_${name}_total`, help: HELP[name], registers: [registry] }))
  }
  return {
    count: (name, by = 1) => counters.get(name)?.inc(by),
    text: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
  }
}
