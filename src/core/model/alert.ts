import type { Meter } from './meter.ts'
import type { PolicyKey } from './policy.ts'
import { parseSecretReference, type SecretReference } from './upstream.ts'

/** Where an alert is sent. */
export type AlertTarget =
  | {
      readonly kind: 'webhook'
      readonly url: string
      /** A reference: `env:NAME`, or the ARN of a secret in Secrets Manager. */
      readonly secret: string
    }
  | { readonly kind: 'sns'; readonly topicArn: string }

/** Which limits are observed, at which shares in use, and who is informed. */
export interface AlertDraft {
  /** Only buckets of this entity; null: of every entity. */
  readonly entityId: string | null
  /** Only the bucket of this policy; null: of every policy. With both null, every bucket. */
  readonly policy: PolicyKey | null
  /** null: every limit of the buckets. */
  readonly limitName: string | null
  /** Ascending, each once. */
  readonly shares: readonly number[]
  readonly target: AlertTarget
}

/** An alert as an administrator configures it. */
export interface Alert extends AlertDraft {
  readonly name: string
  /** ns since the epoch */
  readonly createdAt: bigint
  /** ns since the epoch: of the last change. */
  readonly changedAt: bigint
  /**
   * Orders changes: max(ns since the epoch of the change, the version before + 1). 0: stored before items of this kind had
   * versions.
   */
  readonly version: bigint
}

export const ALERT_NAME_PATTERN = /^(?!events$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const ALERT_NAME_RULE =
  'be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit; events is the list of what was sent'

export const isAlertName = (value: string): boolean => ALERT_NAME_PATTERN.test(value)

export const DEFAULT_SHARES: readonly number[] = [0.8, 1]

/** Shares are multiples of a thousandth. Above 1 only debt reaches them. */
export const SHARE_BOUNDS = { least: 0.001, most: 10, perUnit: 1000 } as const

export const MAX_SHARES = 10

/** The aggregator compares each written bucket with all of them. */
export const MAX_ALERTS = 200

const SECRET_VARIABLE = /^env:(ALERT_SECRET_[A-Z0-9_]{1,100})$/

export const ALERT_SECRET_RULE =
  'be a reference, never a secret: env:ALERT_SECRET_<NAME> for a variable of the environment, or the ARN of a secret in Secrets Manager'

/** Undefined: it is no reference of an alert's secret. */
export const parseAlertSecret = (text: string): SecretReference | undefined =>
  parseSecretReference(text, SECRET_VARIABLE)

/**
 * Which addresses webhooks may be sent to. `public`: https only. `loopback`: also this machine, with http or https.
 * `private`: also https to private networks. None allows link-local addresses, where clouds serve credentials.
 */
export const WEBHOOK_ADDRESSES = ['public', 'loopback', 'private'] as const

export type WebhookAddresses = (typeof WEBHOOK_ADDRESSES)[number]

/** Not of a FIFO topic: its messages require a group. */
const TOPIC_ARN = /^arn:aws[a-z-]{0,20}:sns:([a-z0-9-]{1,30}):\d{12}:[A-Za-z0-9_-]{1,256}$/

export const TOPIC_RULE = 'be the ARN of a standard topic of SNS: arn:aws:sns:<region>:<account>:<name>'

/** Undefined: it is no ARN of a topic. */
export const regionOfTopic = (arn: string): string | undefined => TOPIC_ARN.exec(arn)?.[1]

/** The bucket that an event concerns. */
export interface AlertedBucket {
  /** Unique to the bucket: `ENTITY#team-a#gpt-4`, `POLICY#TENANT#acme`. */
  readonly bucket: string
  /** null: it is a policy's. */
  readonly entityId: string | null
  readonly policy: PolicyKey | null
  readonly resource: string
}

/** A limit of which a share is in use: the occasion of one alert. */
export interface ReachedShare extends AlertedBucket {
  /** The name of the alert. */
  readonly alert: string
  readonly limitName: string
  /** null: unknown, because the limit has been removed since. */
  readonly meter: Meter | null
  /** The configured share. */
  readonly share: number
  /** The window in which the share is reported once, ns since the epoch. */
  readonly window: { readonly start: bigint; readonly end: bigint }
  /** Rounded up; above the capacity if the limit is in debt. */
  readonly used: number
  readonly capacity: number
  /** ns since the epoch: of the write that reached it. */
  readonly at: bigint
}

export const EVENT_STATES = ['pending', 'delivered', 'failed'] as const

export type AlertEventState = (typeof EVENT_STATES)[number]

/** How far the delivery of an event is. */
export interface DeliveryState {
  readonly state: AlertEventState
  /** Attempts that have begun. */
  readonly attempts: number
  /** ns since the epoch: of the next attempt, or, while one runs, the time from which it counts as lost. null: no more. */
  readonly dueAt: bigint | null
  /** Why the last attempt failed; null: it did not. */
  readonly reason: string | null
  /** ns since the epoch; null: it is pending. */
  readonly endedAt: bigint | null
}

/** A reached share and its delivery. */
export interface AlertEvent extends ReachedShare, DeliveryState {
  /** The same for all attempts: receivers recognize repetitions by it. */
  readonly id: string
}

/** A text that is unique to an event, and the same whichever process observes it. */
export const eventKeyText = ({
  bucket,
  limitName,
  window,
  share,
  alert,
}: Pick<ReachedShare, 'bucket' | 'limitName' | 'window' | 'share' | 'alert'>): string =>
  `${bucket}#${limitName}#${window.start}#${share}#${alert}`
