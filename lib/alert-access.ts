import { Token } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { regionOfTopic, type WebhookAddresses } from '../src/core/model/alert.ts'
import { grantSecrets, type RejectedSettings, type SecretRef, secretArnsOf } from './construct-props.ts'
import type { ZaelFunction } from './zael-function.ts'

/** A topic of SNS. */
export interface TopicRef {
  readonly topicArn: string
  readonly masterKey?: IKey | undefined
}

/** The receivers that alerts may have. Nothing is allowed by default. */
export interface AlertAccess {
  /** Standard topics that alerts may be published to. */
  readonly alertTopics?: readonly (TopicRef | string)[]
  /** Secrets that webhooks of alerts may refer to by their ARN, to be signed with. */
  readonly alertSecrets?: readonly (SecretRef | string)[]
  /** For emulators only: variables `ALERT_SECRET_…`, which the template contains in plain text. */
  readonly plainTextAlertSecrets?: Readonly<Record<string, string>>
  /** Where webhooks may be sent. Default `public`. */
  readonly alertWebhookAddresses?: WebhookAddresses
}

/** Settings that the constructs make from their properties. */
export const ALERT_SETTINGS: RejectedSettings = {
  names: ['ALERT_TOPIC_ARNS', 'ALERT_ALLOWED_SECRET_ARNS', 'ALERT_WEBHOOK_ADDRESSES'],
  instead: 'use alertTopics, alertSecrets and alertWebhookAddresses of the stack or of both constructs',
}

/** The settings that list the allowed receivers. Throws for secrets that hold zael's own tokens. */
export const alertEnvironment = (
  access: AlertAccess,
  tokens: readonly SecretRef[] = [],
): Readonly<Record<string, string>> => {
  const { alertTopics = [], alertSecrets = [], alertWebhookAddresses: addresses } = access
  const topics = alertTopics.map(topicArnOf).join(',')
  const secrets = secretArnsOf('alertSecrets', alertSecrets, tokens).join(',')
  return {
    ...access.plainTextAlertSecrets,
    ...(topics !== '' && { ALERT_TOPIC_ARNS: topics }),
    ...(secrets !== '' && { ALERT_ALLOWED_SECRET_ARNS: secrets }),
    ...(addresses !== undefined && { ALERT_WEBHOOK_ADDRESSES: addresses }),
  }
}

/** Lets a function publish to the topics and read the secrets. */
export const grantAlerts = (fn: ZaelFunction, { alertTopics = [], alertSecrets = [] }: AlertAccess): void => {
  for (const topic of alertTopics) {
    fn.allow(['sns:Publish'], [topicArnOf(topic)])
    if (typeof topic !== 'string') topic.masterKey?.grant(fn.fn, 'kms:Decrypt', 'kms:GenerateDataKey*')
  }
  grantSecrets(fn, 'alertSecrets', alertSecrets)
}

const topicArnOf = (topic: TopicRef | string): string => {
  const arn = typeof topic === 'string' ? topic : topic.topicArn
  if (Token.isUnresolved(arn) || regionOfTopic(arn) !== undefined) return arn
  throw new Error(`alertTopics must be standard topics of SNS or their ARNs: ${arn}`)
}
