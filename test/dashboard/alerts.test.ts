import { describe, expect, test } from 'vitest'
import {
  type AlertDraft,
  alertBody,
  alertDraftOf,
  amountsText,
  checkShares,
  NEW_ALERT,
  observedText,
  reachedText,
  receiverText,
  sharesIn,
} from '../../dashboard/alerts/alert-draft.ts'
import { deliveryText } from '../../dashboard/alerts/alert-events.tsx'
import type { Alert, AlertEvent } from '../../dashboard/api/responses.ts'
import { TOPIC, WEBHOOK } from '../store/store-fixtures.ts'

const ALERT: Alert = {
  name: 'budgets',
  entity_id: 'team-a',
  policy: null,
  limit_name: 'usd_month',
  shares: [0.29, 0.8, 1],
  webhook: WEBHOOK,
  sns_topic_arn: null,
  created_at: 1,
  changed_at: 1,
}

describe('the form of an alert', () => {
  test.each<Alert>([
    ALERT,
    { ...ALERT, entity_id: null, policy: 'TENANT/acme', limit_name: null },
    { ...ALERT, entity_id: null, shares: [0.001, 1.5], webhook: null, sns_topic_arn: TOPIC },
  ])('sends what it shows', (alert) => {
    const { name: _, created_at, changed_at, ...fields } = alert
    const { sns_topic_arn, webhook, ...rest } = fields
    expect(alertBody(alertDraftOf(alert))).toEqual({
      ...rest,
      ...(webhook === null ? { sns_topic_arn } : { webhook }),
    })
  })

  test('leaves out what was chosen before', () => {
    const draft: AlertDraft = {
      ...alertDraftOf(ALERT),
      observed: 'policy',
      policy: ' GLOBAL/* ',
      shares: '',
      receiver: 'sns',
      topicArn: TOPIC,
    }
    expect(alertBody(draft)).toEqual({
      entity_id: null,
      policy: 'GLOBAL/*',
      limit_name: 'usd_month',
      sns_topic_arn: TOPIC,
    })
  })

  test('begins with the default shares', () => {
    expect(sharesIn(NEW_ALERT.shares)).toEqual([0.8, 1])
  })

  test.each([
    ['80, 100', [0.8, 1]],
    ['80 % 100 %', [0.8, 1]],
    ['29;12.5', [0.29, 0.125]],
  ])('reads %j as shares', (text, shares) => {
    expect(checkShares(text)).toBeUndefined()
    expect(sharesIn(text)).toEqual(shares)
  })

  test.each(['eighty', '80.25', '-80', '0x50', '8e1'])('rejects %j', (text) => {
    expect(checkShares(text)).toMatch(/percentages/)
  })
})

describe('in words', () => {
  test.each([
    [ALERT, 'usd_month of team-a'],
    [{ ...ALERT, limit_name: null }, 'every limit of team-a'],
    [{ ...ALERT, entity_id: null, policy: 'TENANT/acme' }, 'usd_month of policy TENANT/acme'],
    [{ ...ALERT, entity_id: null, limit_name: null }, 'every limit of every entity and policy'],
  ])('what is observed', (alert, text) => {
    expect(observedText(alert)).toBe(text)
  })

  test('the receiver', () => {
    expect(receiverText(ALERT)).toBe('https://hooks.example.com/zael, signed with env:ALERT_SECRET_OPS')
    expect(receiverText({ webhook: null, sns_topic_arn: TOPIC })).toBe(`SNS ${TOPIC}`)
  })

  const EVENT: AlertEvent = {
    id: 'alert_1',
    alert: 'budgets',
    entity_id: 'team-a',
    policy: null,
    resource: '_total_',
    limit_name: 'usd_month',
    meter: 'cost_usd_micros',
    share: 0.8,
    used: 80_100_000,
    capacity: 100_000_000,
    window_start: 1,
    window_end: 2,
    at: 1,
    state: 'pending',
    attempts: 1,
    next_attempt_at: null,
    reason: null,
    ended_at: null,
  }

  test('what was reached', () => {
    expect(reachedText(EVENT)).toBe('team-a has reached 80 % of usd_month on _total_')
    expect(reachedText({ ...EVENT, entity_id: null, policy: 'TENANT/acme', share: 0.125 })).toBe(
      'policy TENANT/acme has reached 12.5 % of usd_month',
    )
    expect(amountsText(EVENT)).toBe('$80.10 of $100.00 in use')
    expect(amountsText({ ...EVENT, share: 1, used: 90_000_000 })).toBe(
      '$90.00 of $100.00 in use, and requests are denied',
    )
    expect(amountsText({ ...EVENT, meter: null })).toBe('80,100,000 of 100,000,000 in use')
  })

  test('the delivery', () => {
    expect(deliveryText({ ...EVENT, attempts: 0, next_attempt_at: 1 })).toBe('by budgets, 0 attempts')
    expect(deliveryText(EVENT)).toBe('by budgets, 1 attempt')
    const failed = { ...EVENT, attempts: 5, reason: 'the receiver responded with 500' }
    expect(deliveryText(failed)).toBe('by budgets, 5 attempts: the receiver responded with 500')
    expect(deliveryText({ ...failed, next_attempt_at: 1 })).toMatch(/500, next .*1970/)
  })
})
