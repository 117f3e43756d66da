import { createHmac } from 'node:crypto'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { expect, test } from 'vitest'
import { type ReceivedWebhook, respondWith, startReceiver } from '../support/webhook-receiver.ts'
import { admin, ask, newCaller, output } from './deployment.ts'

const lambda = new LambdaClient({})

const SECRET = process.env.ALERT_SECRET_E2E ?? ''

const isGenuine = ({ headers, body }: ReceivedWebhook): boolean => {
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  return (
    headers['webhook-signature'] === `v1,${createHmac('sha256', SECRET).update(content).digest('base64')}`
  )
}

/** An invocation by the schedule: without records. */
const invoke = async (): Promise<void> => {
  const FunctionName = output('AggregatorFunctionName')
  const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }))
  expect(FunctionError).toBeUndefined()
}

const BUDGET = {
  name: 'usd',
  meter: 'cost_usd_micros',
  algorithm: 'fixed_window',
  limit: 1000,
  window: 'month',
}

const soon = { timeout: 90_000, interval: 1000 }

test('a budget at 80 % is reported once, and again until the receiver accepts it', async () => {
  const { entityId, key } = await newCaller({ rpm: 100 })
  // on this machine, where the emulator runs the aggregator too
  const receiver = await startReceiver(respondWith(500))
  const webhook = { url: receiver.url, secret: 'env:ALERT_SECRET_E2E' }
  const name = `e2e-${Date.now()}`
  await admin('PUT', `/api/limits/${entityId}`, { resource: '_total_', limits: [BUDGET] })
  const created = await admin('PUT', `/api/alerts/${name}`, { entity_id: entityId, shares: [0.8], webhook })
  expect(created).toMatchObject({ status: 201 })

  const events = async () => {
    const { body } = await admin('GET', '/api/alerts/events')
    return body.items.filter(({ alert }: { alert: string }) => alert === name)
  }
  // the aggregator caches the alerts for 30 seconds: a later write shows the share again
  const spend = async () => {
    const cost = { requests: 1, cost_usd_micros: (await events()).length === 0 ? 25 : 0 }
    await ask(key, 'POST', '/v1/limits/check', { resource: 'gpt-4', cost })
    return events()
  }
  await ask(key, 'POST', '/v1/limits/check', {
    resource: 'gpt-4',
    cost: { requests: 1, cost_usd_micros: 800 },
  })
  await expect.poll(spend, soon).toHaveLength(1)

  const delivered = async () => {
    await invoke()
    return events()
  }
  await expect.poll(delivered, soon).toMatchObject([
    {
      entity_id: entityId,
      limit_name: 'usd',
      share: 0.8,
      meter: 'cost_usd_micros',
      state: 'delivered',
      attempts: 2,
    },
  ])
  expect(receiver.received.map(isGenuine)).toEqual([true, true])
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  await admin('DELETE', `/api/alerts/${name}`)
}, 200_000)
