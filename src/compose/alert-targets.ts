import type { TargetCheck } from '../core/admin/alerts.ts'
import { parseAlertSecret } from '../core/model/alert.ts'
import { type SecretReader, SecretUnreadable } from '../core/ports/upstreams.ts'
import type { SecretRules } from '../platform/referenced-secrets.ts'
import { signingSecretFault } from '../platform/webhook.ts'
import { urlFault } from '../platform/webhook-addresses.ts'
import type { Settings } from '../settings/settings.ts'
import { createSecrets, type SecretSources } from './upstreams.ts'

/** What the operator allows as targets of alerts. */
export type AlertSettings = Pick<
  Settings,
  'alertAllowedSecretArns' | 'alertTopicArns' | 'alertWebhookAddresses'
>

const ALERT_SECRETS: SecretRules = {
  parse: parseAlertSecret,
  setting: 'ALERT_ALLOWED_SECRET_ARNS',
  faultOf: signingSecretFault,
}

export const alertSecretsOf = (
  { alertAllowedSecretArns }: AlertSettings,
  sources: SecretSources,
): SecretReader => createSecrets(alertAllowedSecretArns, sources, ALERT_SECRETS)

/**
 * Checks a target when an alert is set. Secrets in Secrets Manager are not read: on AWS only the aggregator may read them, and
 * the API serves this check.
 */
export const createTargetCheck = (settings: AlertSettings, sources: SecretSources): TargetCheck => {
  const { alertWebhookAddresses, alertTopicArns, alertAllowedSecretArns } = settings
  const secrets = alertSecretsOf(settings, sources)
  const faultOfSecret = async (reference: string): Promise<string | undefined> => {
    if (alertAllowedSecretArns.includes(reference)) return undefined
    try {
      await secrets.read(reference)
      return undefined
    } catch (error) {
      if (!(error instanceof SecretUnreadable)) throw error
      return `be readable by zael: ${error.message}`
    }
  }
  return async (target) => {
    if (target.kind === 'sns') {
      if (alertTopicArns.includes(target.topicArn)) return undefined
      return { field: 'sns_topic_arn', must: 'be listed in ALERT_TOPIC_ARNS (alertTopics of the stack)' }
    }
    const must = urlFault(new URL(target.url), alertWebhookAddresses)
    if (must !== undefined) return { field: 'webhook.url', must }
    const unreadable = await faultOfSecret(target.secret)
    return unreadable === undefined ? undefined : { field: 'webhook.secret', must: unreadable }
  }
}
