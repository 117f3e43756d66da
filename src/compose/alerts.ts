import { sharedRead } from '../core/ports/shared-read.ts'
import { systemClock } from '../platform/runtime.ts'
import { createDynamoAlertReader } from '../store/dynamodb/alert-reader.ts'
import type { AlertDelivery } from '../usage/alert-delivery.ts'
import type { AlertObserver } from '../usage/alert-observer.ts'
import type { AlertingParts, ConfiguredAlerts } from './alerting.ts'

/**
 * Observes a table's stream for alerts, and delivers them. Without alerts, both only read the list of them, and the code
 * is not loaded.
 */
export const openAlerting = (parts: AlertingParts): AlertObserver & AlertDelivery => {
  const { client, settings } = parts
  const reader = createDynamoAlertReader(client, settings.tableName)
  const maxAge = { clock: systemClock, ms: settings.configCacheSeconds * 1000 }
  const configured: ConfiguredAlerts = {
    list: sharedRead(reader.listAlerts, maxAge),
    alert: reader.alert,
  }
  let isLoaded = false
  const load = sharedRead(async () => {
    const { composeAlerting } = await import('./alerting.ts')
    isLoaded = true
    return composeAlerting(parts, configured)
  })
  /** Also if the list cannot be read, or the code is loaded: then it reads the list itself, and reports failures. */
  const isUsed = async (): Promise<boolean> =>
    isLoaded ||
    configured.list().then(
      (alerts) => alerts.length > 0,
      () => true,
    )
  return {
    observe: async (records) => ((await isUsed()) ? (await load()).observe(records) : []),
    async deliver(withinMs) {
      if (await isUsed()) await (await load()).deliver(withinMs)
    },
  }
}
