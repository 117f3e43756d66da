import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger'
import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics'
import type { Logger, MetricName, Metrics } from '../core/ports/platform.ts'
import type { UpstreamMetricName, UpstreamMetrics } from '../core/ports/upstreams.ts'
import type { LogLevel } from './console-logger.ts'
import { countUpstreams, occurred, type Times, type UpstreamCounts } from './upstream-metrics.ts'

const LEVELS = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR', silent: 'SILENT' } as const

/** JSON lines as CloudWatch takes them apart: level, message, service, the fields. */
export const createPowertoolsLogger = (serviceName: string, lowest: LogLevel): Logger => {
  const powertools = new PowertoolsLogger({ serviceName, logLevel: LEVELS[lowest] })
  return {
    isDebugOn: lowest === 'debug',
    debug: (message, fields = {}) => powertools.debug(message, { ...fields }),
    info: (message, fields = {}) => powertools.info(message, { ...fields }),
    warn: (message, fields = {}) => powertools.warn(message, { ...fields }),
    error: (message, fields = {}) => powertools.error(message, { ...fields }),
  }
}

export interface EmbeddedMetrics extends Metrics {
  readonly upstreams: UpstreamMetrics
  /** Writes the counts since the previous call as lines, from which CloudWatch creates metrics; no line if there are none. */
  publish(): void
}

/**
 * Counters in CloudWatch's embedded metric format, namespace `Zael`. Those of upstreams have lines of their own, with the
 * dimensions `upstream` and `model`, and `outcome` of requests.
 */
export const createPowertoolsMetrics = (serviceName: string): EmbeddedMetrics => {
  const powertools = new PowertoolsMetrics({ namespace: 'Zael', serviceName })
  const counts = new Map<MetricName, number>()
  const upstreams = countUpstreams()
  return {
    count(name, by = 1) {
      if (by !== 0) counts.set(name, (counts.get(name) ?? 0) + by)
    },
    upstreams,
    publish() {
      if (counts.size > 0) {
        for (const [name, value] of counts) powertools.addMetric(name, MetricUnit.Count, value)
        counts.clear()
        powertools.publishStoredMetrics()
      }
      for (const counted of upstreams.all()) publishUpstream(powertools, counted)
      upstreams.clear()
    },
  }
}

const publishUpstream = (powertools: PowertoolsMetrics, counted: UpstreamCounts): void => {
  const { upstream, model, response, firstEvent } = counted
  for (const [outcome, value] of occurred(counted)) {
    powertools.addDimensions({ upstream, model, outcome })
    powertools.addMetric('upstream_requests' satisfies UpstreamMetricName, MetricUnit.Count, value)
    powertools.publishStoredMetrics()
  }
  const values = (
    [
      ['upstream_fallbacks', MetricUnit.Count, counted.fallbacks],
      ['upstream_rests', MetricUnit.Count, counted.rests],
      ['upstream_response_seconds', MetricUnit.Seconds, meanOf(response)],
      ['upstream_first_event_seconds', MetricUnit.Seconds, meanOf(firstEvent)],
    ] as const satisfies readonly (readonly [UpstreamMetricName, unknown, number])[]
  ).filter(([, , value]) => value > 0)
  if (values.length === 0) return
  powertools.addDimensions({ upstream, model })
  for (const [name, unit, value] of values) powertools.addMetric(name, unit, value)
  powertools.publishStoredMetrics()
}

/** Between two lines there is one time in general: only an environment that serves several requests at a time has more. */
const meanOf = ({ sum, count }: Times): number => (count === 0 ? 0 : sum / count)
