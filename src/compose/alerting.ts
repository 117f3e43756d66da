import type { Alert } from '../core/model/alert.ts'
import { type AlertSender, DeliveryFailed } from '../core/ports/alert-store.ts'
import type { Metrics } from '../core/ports/platform.ts'
import { type SecretReader, SecretUnreadable } from '../core/ports/upstreams.ts'
import { createMeterLookup } from '../core/resolve/limit-meter.ts'
import { systemClock } from '../platform/runtime.ts'
import { randomSecrets } from '../platform/secrets.ts'
import { createWebhookPoster } from '../platform/webhook.ts'
import type { Settings } from '../settings/settings.ts'
import { createDynamoAlertEventStore } from '../store/dynamodb/alert-event-store.ts'
import type { DynamoClient } from '../store/dynamodb/client.ts'
import { createDynamoConfigStore } from '../store/dynamodb/config-store.ts'
import { bucketOf } from '../store/dynamodb/table-keys.ts'
import { type AlertDelivery, createAlertDelivery } from '../usage/alert-delivery.ts'
import { type AlertObserver, createAlertObserver } from '../usage/alert-observer.ts'
import { type AlertSettings, alertSecretsOf } from './alert-targets.ts'
import type { SecretSources } from './upstreams.ts'

export interface AlertingParts extends SecretSources {
  readonly client: DynamoClient
  readonly settings: AlertSettings & Pick<Settings, 'tableName' | 'configCacheSeconds'>
  readonly metrics: Metrics
}

export interface ConfiguredAlerts {
  /** Cached as long as other configuration. */
  readonly list: () => Promise<readonly Alert[]>
  /** Strongly consistent. */
  readonly alert: (name: string) => Promise<Alert | undefined>
}

/** The observer and the delivery of a process, loaded with the first alert. */
export const composeAlerting = (
  { client, settings, ...parts }: AlertingParts,
  configured: ConfiguredAlerts,
): AlertObserver & AlertDelivery => {
  const { logger, metrics } = parts
  const events = createDynamoAlertEventStore(client, settings.tableName)
  const common = { configured: configured.list, events, clock: systemClock, logger, metrics }
  const observer = createAlertObserver({
    ...common,
    bucketOf,
    meterOf: createMeterLookup(createDynamoConfigStore(client, settings.tableName)),
    hash: randomSecrets.hash,
  })
  const sender = createAlertSender(settings, parts)
  return { ...observer, ...createAlertDelivery({ ...common, alert: configured.alert, sender }) }
}

/** Sends alerts by webhooks and by SNS, to the targets that the settings allow. */
const createAlertSender = (settings: AlertSettings, sources: SecretSources): AlertSender => {
  const { alertWebhookAddresses: addresses, alertTopicArns } = settings
  const secrets = alertSecretsOf(settings, sources)
  const post = createWebhookPoster({ addresses, clock: systemClock })
  return {
    async send(target, message) {
      if (target.kind === 'webhook')
        return post(target.url, await readSecret(secrets, target.secret), message)
      if (!alertTopicArns.includes(target.topicArn)) throw new DeliveryFailed(NOT_LISTED)
      const { publish } = await import('../platform/sns-publisher.ts')
      return publish(target.topicArn, message)
    },
  }
}

const NOT_LISTED = 'the topic is not in ALERT_TOPIC_ARNS'

const readSecret = async (secrets: SecretReader, reference: string): Promise<string> => {
  try {
    return await secrets.read(reference)
  } catch (error) {
    if (error instanceof SecretUnreadable) throw new DeliveryFailed(error.message, { cause: error })
    throw error
  }
}
