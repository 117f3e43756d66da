import { Logger as Powertools } from '@aws-lambda-powertools/logger'
import type { Logger } from '../core/ports/platform.ts'
import type { LogLevel } from './console-logger.ts'

const LEVELS = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR', silent: 'SILENT' } as const

/** JSON lines as CloudWatch takes them apart: level, message, service, the fields. */
export const createPowertoolsLogger = (serviceName: string, lowest: LogLevel): Logger => {
  const powertools = new Powertools({ serviceName, logLevel: LEVELS[lowest] })
  return {
    isDebugOn: lowest === 'debug',
    debug: (message, fields = {}) => powertools.debug(message, { ...fields }),
    info: (message, fields = {}) => powertools.info(message, { ...fields }),
    warn: (message, fields = {}) => powertools.warn(message, { ...fields }),
    error: (message, fields = {}) => powertools.error(message, { ...fields }),
  }
}
