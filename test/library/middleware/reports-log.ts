import type { Denial, LimitWarning } from '../../../src/library/index.ts'

/** Collects the reports of a middleware, and its log lines above debug. */
export const createReportsLog = () => {
  const warnings: LimitWarning[] = []
  const denials: Denial[] = []
  const counted: string[] = []
  const logged: string[] = []
  const log = (message: string): void => void logged.push(message)
  const ignore = (): void => {}
  return {
    warnings,
    denials,
    counted,
    logged,
    options: {
      onWarning: (warning: LimitWarning): void => void warnings.push(warning),
      onDenied: (denial: Denial): void => void denials.push(denial),
      metrics: { count: (name: string): void => void counted.push(name) },
      logger: { debug: ignore, info: log, warn: log, error: log },
    },
  }
}
