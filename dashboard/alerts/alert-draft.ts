import type { Alert, AlertEvent } from '../api/responses.ts'
import { amountText, percentText } from '../parts/amounts.ts'

export const OBSERVED = [
  ['all', 'every entity and policy'],
  ['entity', 'one entity'],
  ['policy', 'one policy'],
] as const

export const RECEIVERS = [
  ['webhook', 'a webhook'],
  ['sns', 'an SNS topic'],
] as const

/** The state of the form; an empty text is the default. */
export interface AlertDraft {
  readonly name: string
  readonly observed: (typeof OBSERVED)[number][0]
  readonly entityId: string
  readonly policy: string
  readonly limitName: string
  /** In percent, separated by commas. */
  readonly shares: string
  readonly receiver: (typeof RECEIVERS)[number][0]
  readonly url: string
  readonly secret: string
  readonly topicArn: string
}

export const NEW_ALERT: AlertDraft = {
  name: '',
  observed: 'all',
  entityId: '',
  policy: '',
  limitName: '',
  shares: '80, 100',
  receiver: 'webhook',
  url: '',
  secret: '',
  topicArn: '',
}

export const alertDraftOf = (alert: Alert): AlertDraft => ({
  name: alert.name,
  observed: observedOf(alert),
  entityId: alert.entity_id ?? '',
  policy: alert.policy ?? '',
  limitName: alert.limit_name ?? '',
  shares: alert.shares.map(toPercent).join(', '),
  receiver: alert.webhook === null ? 'sns' : 'webhook',
  url: alert.webhook?.url ?? '',
  secret: alert.webhook?.secret ?? '',
  topicArn: alert.sns_topic_arn ?? '',
})

const observedOf = ({ entity_id, policy }: Pick<Alert, 'entity_id' | 'policy'>): AlertDraft['observed'] => {
  if (entity_id !== null) return 'entity'
  return policy === null ? 'all' : 'policy'
}

/** The body of `PUT /api/alerts/{name}`. */
export const alertBody = (draft: AlertDraft) => ({
  entity_id: draft.observed === 'entity' ? draft.entityId.trim() : null,
  policy: draft.observed === 'policy' ? draft.policy.trim() : null,
  limit_name: draft.limitName.trim() || null,
  ...(draft.shares.trim() !== '' && { shares: sharesIn(draft.shares) }),
  ...(draft.receiver === 'webhook'
    ? { webhook: { url: draft.url.trim(), secret: draft.secret.trim() } }
    : { sns_topic_arn: draft.topicArn.trim() }),
})

/** `80, 100` as 0.8 and 1. To the thousandth, which is what a share can be: 0.29 × 100 is not 29 in binary. */
export const sharesIn = (text: string): readonly number[] =>
  percentsIn(text).map((percent) => Math.round(Number(percent) * 10) / 1000)

const percentsIn = (text: string): readonly string[] =>
  text
    .split(/[\s,;%]+/)
    .map((percent) => percent.trim())
    .filter((percent) => percent !== '')

/** The error of shares in percent; undefined if they are valid. */
export const checkShares = (text: string): string | undefined =>
  percentsIn(text).every((percent) => /^\d{1,4}(\.\d)?$/.test(percent))
    ? undefined
    : 'Must be percentages with at most one decimal, such as 80, 100'

const toPercent = (share: number): number => Math.round(share * 1000) / 10

export const shareText = (share: number): string => percentText(toPercent(share))

/** `usd_month of team-a`, `every limit of every entity and policy` */
export const observedText = ({
  entity_id,
  policy,
  limit_name,
}: Pick<Alert, 'entity_id' | 'policy' | 'limit_name'>): string =>
  `${limit_name ?? 'every limit'} of ${entity_id ?? (policy === null ? 'every entity and policy' : `policy ${policy}`)}`

export const receiverText = ({ webhook, sns_topic_arn }: Pick<Alert, 'webhook' | 'sns_topic_arn'>): string =>
  webhook === null ? `SNS ${sns_topic_arn}` : `${webhook.url}, signed with ${webhook.secret}`

/** `team-a has reached 80 % of usd_month on _total_` */
export const reachedText = (event: AlertEvent): string => {
  const { entity_id, policy, share, limit_name, resource } = event
  const owner = entity_id ?? `policy ${policy}`
  return `${owner} has reached ${shareText(share)} of ${limit_name}${policy === null ? ` on ${resource}` : ''}`
}

/** `$80.10 of $100.00 in use`; a limit that denies has reached the whole with less. */
export const amountsText = ({ meter, used, capacity, share }: AlertEvent): string => {
  const amount = (value: number) => amountText(meter ?? undefined, value)
  const denies = used < capacity * share ? ', and requests are denied' : ''
  return `${amount(used)} of ${amount(capacity)} in use${denies}`
}
