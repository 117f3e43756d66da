/** Every metric zael counts. Labels are few-valued: no ids. */
export type MetricName =
  | 'decisions_allowed'
  | 'decisions_denied'
  | 'decisions_degraded'
  | 'decisions_contended'
  | 'limits_near'
  | 'limits_exceeded'
  | 'bucket_writes'
  | 'bucket_reads'
  | 'charges_throttled'
  | 'refunds_lost'
  | 'authentication_failures'
  | 'usage_hours_recorded'
  | 'usage_records_failed'

export interface Metrics {
  /** Adds `by` (1) to a counter. */
  count(name: MetricName, by?: number): void
}

export const noMetrics: Metrics = { count() {} }
