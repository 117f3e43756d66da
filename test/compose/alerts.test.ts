import { describe, expect, test } from 'vitest'
import { createTargetCheck } from '../../src/compose/alert-targets.ts'
import { openAlerting } from '../../src/compose/alerts.ts'
import type { AlertTarget } from '../../src/core/model/alert.ts'
import { StoreUnavailable } from '../../src/core/model/errors.ts'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import type { DynamoClient } from '../../src/store/dynamodb/client.ts'
import { TOPIC } from '../store/store-fixtures.ts'

const SECRET = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:signing-AbCdEf'

/** A connection that only counts its calls. */
const countingClient = (respond: () => unknown) => {
  let calls = 0
  const client = {
    async run() {
      calls += 1
      return respond()
    },
  }
  // only `run` is called
  return { client: client as unknown as DynamoClient, calls: () => calls }
}

const alertingOn = (client: DynamoClient) =>
  openAlerting({
    client,
    settings: readSettings({}),
    environment: {},
    logger: silentLogger,
    metrics: noMetrics,
  })

test('without alerts, batches and deliveries share one read of the list', async () => {
  const { client, calls } = countingClient(() => ({ Items: [] }))
  const { observe, deliver } = alertingOn(client)
  for (let n = 0; n < 5; n += 1) {
    expect(await observe([{}])).toEqual([])
    await deliver(1000)
  }
  expect(calls()).toBe(1)
})

test('a list that cannot be read is reported with the batch', async () => {
  const { client } = countingClient(() => {
    throw new StoreUnavailable('the store is away', { mayHaveApplied: false })
  })
  expect(await alertingOn(client).observe([{}])).toEqual([{ record: 0, reason: 'the store is away' }])
})

describe('a target', () => {
  const check = createTargetCheck(
    readSettings({ ALERT_TOPIC_ARNS: TOPIC, ALERT_ALLOWED_SECRET_ARNS: SECRET }),
    {
      environment: { ALERT_SECRET_OPS: 'a-secret-of-16-characters', ALERT_SECRET_SHORT: 'sh0rt' },
      logger: silentLogger,
    },
  )

  const webhook = (secret: string): AlertTarget => ({
    kind: 'webhook',
    url: 'https://hooks.example.com/',
    secret,
  })

  test.each<AlertTarget>([
    { kind: 'sns', topicArn: TOPIC },
    webhook('env:ALERT_SECRET_OPS'),
    // not read: on AWS, only the aggregator may
    webhook(SECRET),
  ])('%j is accepted', async (target) => {
    expect(await check(target)).toBeUndefined()
  })

  test.each<[target: AlertTarget, field: string, must: RegExp]>([
    [{ kind: 'sns', topicArn: `${TOPIC}2` }, 'sns_topic_arn', /ALERT_TOPIC_ARNS/],
    [webhook('env:ALERT_SECRET_OTHER'), 'webhook.secret', /ALERT_SECRET_OTHER is not set/],
    [webhook('env:ALERT_SECRET_SHORT'), 'webhook.secret', /at least 16 characters/],
    [webhook(SECRET.replace('signing', 'other')), 'webhook.secret', /not in ALERT_ALLOWED_SECRET_ARNS/],
    [{ ...webhook(SECRET), url: 'https://10.0.0.1/' } as AlertTarget, 'webhook.url', /private address/],
  ])('%j is rejected', async (target, field, must) => {
    const fault = await check(target)
    expect(fault).toEqual({ field, must: expect.stringMatching(must) })
    expect(fault?.must).not.toContain('sh0rt')
  })
})
