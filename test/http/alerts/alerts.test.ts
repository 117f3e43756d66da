import { describe, expect, test } from 'vitest'
import { alertEventsResponse, alertResponse, alertsResponse } from '../../../src/contract/alerts.ts'
import { MAX_ALERTS } from '../../../src/core/model/alert.ts'
import { anAlert, anAlertEvent, anAudit, TODAY, TOPIC, WEBHOOK } from '../../store/store-fixtures.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp, VIEWER } from '../test-app.ts'

const PATH = '/api/alerts/ops'

describe('an alert', () => {
  test('is created, replaced, listed and removed', async () => {
    const { send, clock } = createTestApp()
    const created = asDescribed(await send('PUT', PATH, { body: { webhook: WEBHOOK } }), alertResponse, 201)
    expect(created).toEqual({
      name: 'ops',
      entity_id: null,
      policy: null,
      limit_name: null,
      shares: [0.8, 1],
      webhook: WEBHOOK,
      sns_topic_arn: null,
      created_at: created.created_at,
      changed_at: created.created_at,
    })
    clock.advance(2_000_000_000n)
    const body = { entity_id: 'team-a', limit_name: 'usd_month', shares: [1, 0.5], sns_topic_arn: TOPIC }
    const replaced = asDescribed(await send('PUT', PATH, { body }), alertResponse)
    expect(replaced).toEqual({
      ...created,
      ...body,
      shares: [0.5, 1],
      webhook: null,
      changed_at: created.created_at + 2,
    })
    expect(asDescribed(await send('GET', PATH), alertResponse)).toEqual(replaced)
    expect(asDescribed(await send('GET', '/api/alerts'), alertsResponse)).toEqual({
      items: [replaced],
      next_cursor: null,
    })
    expect((await send('DELETE', PATH)).status).toBe(204)
    expect((await send('DELETE', PATH)).status).toBe(404)
    expect((await send('GET', PATH)).status).toBe(404)
  })

  test.each(['GLOBAL/*', 'TENANT/acme', 'USER_MODEL/ann/org/model:1', 'MODEL/org/model:1'])(
    'may observe the policy %s',
    async (policy) => {
      const created = await createTestApp().send('PUT', PATH, { body: { policy, webhook: WEBHOOK } })
      expect(asDescribed(created, alertResponse, 201)).toMatchObject({ policy, entity_id: null })
    },
  )

  test('is read by viewers, and changed by admins only', async () => {
    const { send } = createTestApp()
    await send('PUT', PATH, { body: { webhook: WEBHOOK } })
    for (const path of [PATH, '/api/alerts', '/api/alerts/events'])
      expect((await send('GET', path, { headers: VIEWER })).status).toBe(200)
    expect((await send('PUT', PATH, { headers: VIEWER, body: { webhook: WEBHOOK } })).status).toBe(403)
    expect((await send('DELETE', PATH, { headers: VIEWER })).status).toBe(403)
    expect((await send('GET', PATH, { headers: {} })).status).toBe(401)
  })

  test('leaves audit records that contain the reference of its secret', async () => {
    const { send, clock } = createTestApp()
    await send('PUT', PATH, { body: { webhook: WEBHOOK } })
    clock.advance(1n)
    await send('DELETE', PATH)
    expect((await send('GET', '/api/audit')).body).toMatchObject({
      items: [
        {
          action: 'alert.delete',
          actor: 'admin',
          subject: 'ALERT#ops',
          before: { webhook: WEBHOOK },
          after: null,
        },
        { action: 'alert.put', actor: 'admin', before: null, after: { webhook: WEBHOOK } },
      ],
    })
  })

  test('is rejected if this deployment cannot send to its target', async () => {
    const checkAlertTarget = async () => ({ field: 'sns_topic_arn', must: 'be listed' })
    const { send } = createTestApp({ checkAlertTarget })
    expect(await send('PUT', PATH, { body: { sns_topic_arn: TOPIC } })).toMatchObject({
      status: 400,
      body: { field: 'sns_topic_arn', message: expect.stringContaining('be listed') },
    })
    expect((await send('GET', PATH)).status).toBe(404)
  })

  test('is rejected if there are too many, unless it replaces one', async () => {
    const { send, store } = createTestApp()
    for (let n = 0; n < MAX_ALERTS; n += 1) await store.putAlert(anAlert({ name: `a${n}` }), anAudit())
    expect((await send('PUT', PATH, { body: { webhook: WEBHOOK } })).status).toBe(409)
    expect((await send('PUT', '/api/alerts/a7', { body: { webhook: WEBHOOK } })).status).toBe(200)
  })
})

const webhook = (fields: object) => ({ webhook: { ...WEBHOOK, ...fields } })

describe('a body is rejected', () => {
  test.each<[field: string, body: object, text: RegExp]>([
    ['webhook', {}, /sns_topic_arn/],
    ['sns_topic_arn', { webhook: WEBHOOK, sns_topic_arn: TOPIC }, /two alerts/],
    ['policy', { entity_id: 'a', policy: 'GLOBAL/*', webhook: WEBHOOK }, /two alerts/],
    ['policy', { policy: 'TENANT', webhook: WEBHOOK }, /TENANT\/acme/],
    ['policy', { policy: 'TENANT/', webhook: WEBHOOK }, /<scope>\/<selector>/],
    ['policy', { policy: 'TEAM/acme', webhook: WEBHOOK }, /MODEL_TIER/],
    ['policy', { policy: 'USER_MODEL/ann', webhook: WEBHOOK }, /<scope>/],
    ['entity_id', { entity_id: 'a#b', webhook: WEBHOOK }, /letter or digit/],
    ['limit_name', { limit_name: 'RPM', webhook: WEBHOOK }, /a-z/],
    ['shares', { shares: [], webhook: WEBHOOK }, /1 to 10/],
    ['shares', { shares: Array.from({ length: 11 }, (_, n) => (n + 1) / 20), webhook: WEBHOOK }, /1 to 10/],
    ['shares', { shares: [0.8, 0.8], webhook: WEBHOOK }, /once/],
    ['shares[0]', { shares: [0], webhook: WEBHOOK }, /0\.001/],
    ['shares[0]', { shares: [80], webhook: WEBHOOK }, /to 10/],
    ['shares[1]', { shares: [0.8, 0.80001], webhook: WEBHOOK }, /decimals/],
    ['shares[0]', { shares: ['80%'], webhook: WEBHOOK }, /number/],
    ['webhook.url', webhook({ url: 'hooks.example.com' }), /https:\/\//],
    ['webhook.url', webhook({ url: 'ftp://hooks.example.com' }), /https:\/\//],
    ['webhook.url', webhook({ url: 'https://u:p@hooks.example.com' }), /password/],
    ['webhook.url', webhook({ url: 'https://hooks.example.com/#a' }), /fragment/],
    ['webhook.url', webhook({ url: `https://hooks.example.com/${'a'.repeat(2048)}` }), /2048/],
    ['webhook.secret', { webhook: { url: WEBHOOK.url } }, /reference/],
    ['webhook.secret', webhook({ secret: 'env:UPSTREAM_API_KEY' }), /ALERT_SECRET_/],
    ['webhook.secret', webhook({ secret: 'env:ADMIN_TOKEN' }), /ALERT_SECRET_/],
    ['webhook.headers', webhook({ headers: {} }), /not known/],
    ['sns_topic_arn', { sns_topic_arn: `${TOPIC}.fifo` }, /standard topic/],
    ['sns_topic_arn', { sns_topic_arn: 'alerts' }, /standard topic/],
    ['share', { share: 0.8, webhook: WEBHOOK }, /not known/],
  ])('%s of %j', async (field, body, text) => {
    const response = await createTestApp().send('PUT', PATH, { body })
    expect(response).toMatchObject({ status: 400, body: { field, message: expect.stringMatching(text) } })
  })

  test('without repeating a secret that was given in place of its reference', async () => {
    const { body } = await createTestApp().send('PUT', PATH, { body: webhook({ secret: 'whsec_s3cret' }) })
    expect(JSON.stringify(body)).not.toContain('s3cret')
  })

  test.each(['events', '-a', 'a b', 'a#b', 'a'.repeat(65)])('the name %j', async (name) => {
    const path = `/api/alerts/${encodeURIComponent(name)}`
    expect((await createTestApp().send('PUT', path, { body: { webhook: WEBHOOK } })).status).toBe(400)
  })
})

describe('the events', () => {
  test('are listed from the newest on, with the state of their delivery', async () => {
    const { send, table } = createTestApp()
    const [first, second] = [anAlertEvent(), anAlertEvent({ at: TODAY + 1_500_000_000n, entityId: null })]
    await table.alertEvents.raise(first)
    await table.alertEvents.raise({ ...second, policy: { scope: 'USER_MODEL', selector: 'ann#gpt-4' } })
    const failed = {
      state: 'failed',
      attempts: 5,
      dueAt: null,
      reason: 'it responded with 500',
      endedAt: TODAY,
    } as const
    await table.alertEvents.update(first, failed)
    const page = asDescribed(await send('GET', '/api/alerts/events?limit=1'), alertEventsResponse)
    expect(page.items).toMatchObject([
      {
        id: second.id,
        state: 'pending',
        policy: 'USER_MODEL/ann/gpt-4',
        entity_id: null,
        at: 1_790_000_001.5,
      },
    ])
    const rest = await send('GET', `/api/alerts/events?cursor=${page.next_cursor}`)
    expect(asDescribed(rest, alertEventsResponse)).toEqual({
      items: [
        {
          id: first.id,
          alert: 'ops',
          entity_id: 'team',
          policy: null,
          resource: '_total_',
          limit_name: 'usd_month',
          meter: 'cost_usd_micros',
          share: 0.8,
          used: 80_100_000,
          capacity: 100_000_000,
          window_start: 1_790_000_000,
          window_end: 1_792_592_000,
          at: 1_790_000_000,
          state: 'failed',
          attempts: 5,
          next_attempt_at: null,
          reason: 'it responded with 500',
          ended_at: 1_790_000_000,
        },
      ],
      next_cursor: null,
    })
    expect((await send('GET', '/api/alerts/events?cursor=x')).status).toBe(400)
  })

  test('of an alert that is removed are given up', async () => {
    const { send, table } = createTestApp()
    await send('PUT', PATH, { body: { webhook: WEBHOOK } })
    const [own, other] = [anAlertEvent(), anAlertEvent({ alert: 'other' })]
    for (const event of [own, other]) await table.alertEvents.raise(event)
    await send('DELETE', PATH)
    expect((await table.alertEvents.pending(10)).map(({ id }) => id)).toEqual([other.id])
    expect((await send('GET', '/api/alerts/events')).body).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ id: own.id, state: 'failed', reason: 'the alert was removed' }),
      ]),
    })
  })
})
