import * as v from 'valibot'
import {
  ALERT_NAME_PATTERN,
  ALERT_NAME_RULE,
  ALERT_SECRET_RULE,
  type AlertDraft,
  DEFAULT_SHARES,
  EVENT_STATES,
  MAX_SHARES,
  parseAlertSecret,
  regionOfTopic,
  SHARE_BOUNDS,
  TOPIC_RULE,
} from '../core/model/alert.ts'
import { METERS } from '../core/model/meter.ts'
import { POLICY_PATH_RULE, policyOfPath } from '../core/model/policy.ts'
import { boundedList, checkedBy, closedObject, type Fault } from './containers.ts'
import { id, nextCursor, numberFrom, optionalOrNull, seconds } from './fields.ts'
import { limitName } from './limit-fields.ts'

export const alertName = v.pipe(v.string(), v.regex(ALERT_NAME_PATTERN, ALERT_NAME_RULE))

export const alertParam = v.object({ name: alertName })

const MOST_URL = 2048

const webhookUrl = v.pipe(
  v.string(),
  v.maxLength(MOST_URL, `be at most ${MOST_URL} characters`),
  v.check((text) => /^https?:$/.test(urlOf(text)?.protocol ?? ''), 'be a URL that begins with https://'),
  v.check((text) => {
    const { username, password } = urlOf(text) ?? {}
    return !username && !password
  }, 'contain no user name or password: the receiver verifies the signature'),
  v.check((text) => urlOf(text)?.hash === '', 'contain no fragment'),
  v.description('https, to a public address unless ALERT_WEBHOOK_ADDRESSES allows others'),
)

const urlOf = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined)

/** The secret itself may be given by mistake: no message repeats it. */
const secret = v.pipe(
  v.string(ALERT_SECRET_RULE),
  v.check((text) => parseAlertSecret(text) !== undefined, ALERT_SECRET_RULE),
  v.description(
    'A reference: `env:ALERT_SECRET_…`, or the ARN of a secret that the deployment allows. Its value signs every message',
  ),
)

const shareRule = `be a number from ${SHARE_BOUNDS.least} to ${SHARE_BOUNDS.most}, with at most three decimals`

const isThousandths = (share: number): boolean =>
  Math.round(share * SHARE_BOUNDS.perUnit) / SHARE_BOUNDS.perUnit === share

const share = v.pipe(
  numberFrom(SHARE_BOUNDS.least, SHARE_BOUNDS.most, shareRule),
  v.check(isThousandths, shareRule),
)

const shares = v.pipe(
  boundedList(share, { least: 1, most: MAX_SHARES, must: `contain 1 to ${MAX_SHARES} shares` }),
  v.check((given) => new Set(given).size === given.length, 'contain each share once'),
  v.description('The shares in use at which the alert is sent; default 0.8 and 1'),
)

const policy = v.pipe(
  v.string(POLICY_PATH_RULE),
  v.check((text) => policyOfPath(text) !== undefined, POLICY_PATH_RULE),
  v.description('Only the bucket of this policy: `<scope>/<selector>`'),
)

const webhook = closedObject({ url: webhookUrl, secret })

const topicArn = v.pipe(
  v.string(TOPIC_RULE),
  v.check((text) => regionOfTopic(text) !== undefined, TOPIC_RULE),
  v.description('The ARN of a standard topic of SNS that the deployment allows'),
)

const alertFields = closedObject({
  entity_id: optionalOrNull(v.pipe(id, v.description('Only the buckets of this entity'))),
  policy: optionalOrNull(policy),
  limit_name: optionalOrNull(v.pipe(limitName, v.description('Only limits of this name'))),
  shares: v.exactOptional(shares),
  webhook: optionalOrNull(webhook),
  sns_topic_arn: optionalOrNull(topicArn),
})

type AlertFields = v.InferOutput<typeof alertFields>

const targetFault = ({ entity_id, policy, webhook, sns_topic_arn }: AlertFields): Fault | undefined => {
  if (entity_id && policy) return { path: ['policy'], must: 'not be given beside entity_id: make two alerts' }
  if (webhook && sns_topic_arn)
    return { path: ['sns_topic_arn'], must: 'not be given beside webhook: make two alerts' }
  if (!webhook && !sns_topic_arn) return { path: ['webhook'], must: 'be given, or sns_topic_arn' }
  return undefined
}

export const alertBody = v.pipe(alertFields, checkedBy(targetFault), v.metadata({ ref: 'NewAlert' }))

/** The alert that a body describes; its URL is normalized, its shares are sorted. */
export const alertDraftOf = (body: AlertFields): AlertDraft => ({
  entityId: body.entity_id ?? null,
  policy: (body.policy && policyOfPath(body.policy)) || null,
  limitName: body.limit_name ?? null,
  shares: [...(body.shares ?? DEFAULT_SHARES)].sort((a, b) => a - b),
  target: targetOf(body),
})

const targetOf = ({ webhook, sns_topic_arn }: AlertFields): AlertDraft['target'] =>
  webhook
    ? { kind: 'webhook', url: new URL(webhook.url).href, secret: webhook.secret }
    : // `targetFault` requires one of both
      { kind: 'sns', topicArn: sns_topic_arn ?? '' }

export const alertResponse = v.pipe(
  v.object({
    name: v.string(),
    entity_id: v.nullable(v.string()),
    policy: v.nullable(v.string()),
    limit_name: v.nullable(v.string()),
    shares: v.array(v.number()),
    webhook: v.nullable(
      v.object({
        url: v.string(),
        secret: v.pipe(v.string(), v.description('The reference, never the secret')),
      }),
    ),
    sns_topic_arn: v.nullable(v.string()),
    created_at: seconds,
    changed_at: seconds,
  }),
  v.metadata({ ref: 'Alert' }),
)

export const alertsResponse = v.object({ items: v.array(alertResponse), next_cursor: nextCursor })

const amount = v.pipe(v.number(), v.integer())

export const alertEventResponse = v.pipe(
  v.object({
    id: v.pipe(v.string(), v.description('The same as `webhook-id` of the message')),
    alert: v.string(),
    entity_id: v.pipe(v.nullable(v.string()), v.description('null: the limit is a policy’s')),
    policy: v.nullable(v.string()),
    resource: v.string(),
    limit_name: v.string(),
    meter: v.nullable(v.picklist(METERS)),
    share: v.pipe(v.number(), v.description('The configured share that was reached')),
    used: amount,
    capacity: amount,
    window_start: seconds,
    window_end: seconds,
    at: v.pipe(v.number(), v.description('Seconds since the epoch, to the millisecond: when it was reached')),
    state: v.picklist(EVENT_STATES),
    attempts: v.pipe(amount, v.description('At most 5')),
    next_attempt_at: v.nullable(seconds),
    reason: v.pipe(v.nullable(v.string()), v.description('Why the last attempt failed')),
    ended_at: v.nullable(seconds),
  }),
  v.metadata({ ref: 'AlertEvent' }),
)

export const alertEventsResponse = v.object({ items: v.array(alertEventResponse), next_cursor: nextCursor })
