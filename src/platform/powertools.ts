import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger'
import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics'
import type { Logger, MetricName, Metrics } from '../core/ports/platform.ts'
import type { LogLevel } from './console-logger.ts'

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
  /** Writes the counts since the previous call as one line, from which CloudWatch creates metrics; no line if there are none. */
  publish(): void
}

/** Counters in CloudWatch's embedded metric format, namespace `Zael`. */
export const createPowertoolsMetrics = (serviceName: string): EmbeddedMetrics => {
  const powertools = new PowertoolsMetrics({ namespace: 'Zael', serviceName })
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
