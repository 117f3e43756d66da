import { MetricUnit, Metrics as Powertools } from '@aws-lambda-powertools/metrics'
import type { MetricName, Metrics } from '../core/ports/platform.ts'

export interface EmbeddedMetrics extends Metrics {
  /** Writes what was counted since the last time as one line, from which CloudWatch makes metrics; none where nothing was. */
  publish(): void
}

/** Counters in CloudWatch's embedded metric format, namespace `Zael`. */
export const createPowertoolsMetrics = (serviceName: string): EmbeddedMetrics => {
  const powertools = new Powertools({ namespace: 'Zael', serviceName })
  const counts = new Map<MetricName, number>()
  return {
    count(name, by = 1) {
      if (by !== 0) counts.set(name, (counts.get(name) ?? 0) + by)
    },
    publish() {
      if (counts.size === 0) return
      for (const [name, value] of counts) powertools.addMetric(name, MetricUnit.Count, value)
      counts.clear()
      powertools.publishStoredMetrics()
    },
  }
}
