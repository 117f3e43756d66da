import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { startReceiver } from '../support/webhook-receiver.ts'
import { eventually, expectUsableByAll } from './support/checks.ts'
import { createDashboardWorld, createOwnEntity, requests } from './support/world.ts'

const world = createDashboardWorld({
  ALERT_WEBHOOK_ADDRESSES: 'loopback',
  ALERT_SECRET_OPS: 'a-secret-of-16-characters',
})

const dialog = (page: Page): Locator => page.getByRole('dialog')

test('an alert is added, reports a limit once it is nearly used up, is edited and removed', async () => {
  const receiver = await startReceiver()
  const { charge } = await createOwnEntity(world, 'alerted', [requests(10)])
  const page = await world.open({ route: '/alerts' })
  await page.getByText('No alerts yet').waitFor()
  await page.getByText('Nothing reported yet').waitFor()

  await page.getByRole('button', { name: 'Add an alert' }).click()
  const form = dialog(page)
  await form.getByLabel('Name').fill('nearly')
  await form.getByLabel('Limits of').selectOption('one entity')
  await form.getByLabel('Entity', { exact: true }).fill('alerted')
  await form.getByLabel('Limit', { exact: true }).fill('rpm')
  await form.getByLabel('Shares in percent').fill('80, 120')
  await form.getByLabel('URL').fill(receiver.url)
  await form.getByLabel('Secret').fill('env:ALERT_SECRET_OPS')
  await form.getByRole('button', { name: 'Add', exact: true }).click()
  await form.waitFor({ state: 'detached' })
  const row = page.getByRole('list', { name: 'Configured' }).getByRole('listitem')
  await row.getByText('rpm of alerted, at 80 %, 120 %').waitFor()

  await charge({ requests: 9 })
  await page.getByText('alerted has reached 80 % of rpm on _default_').waitFor()
  await page.getByText('9 of 10 in use').waitFor()
  await page.getByText('delivered', { exact: true }).waitFor()
  await eventually(async () => receiver.received.map(({ headers }) => headers['webhook-signature'])).toEqual([
    expect.stringMatching(/^v1,/),
  ])
  await expectUsableByAll(page)

  await page.getByRole('button', { name: 'Edit nearly' }).click()
  expect(await form.getByLabel('Shares in percent').inputValue()).toBe('80, 120')
  await form.getByLabel('Limits of').selectOption('every entity and policy')
  await form.getByLabel('Shares in percent').fill('')
  await form.getByRole('button', { name: 'Save' }).click()
  await row.getByText('rpm of every entity and policy, at 80 %, 100 %').waitFor()

  await page.getByRole('button', { name: 'Remove nearly' }).click()
  await dialog(page).getByRole('button', { name: 'Remove nearly' }).click()
  await page.getByRole('status').filter({ hasText: 'nearly is removed' }).waitFor()
  await page.getByText('No alerts yet').waitFor()
  await page.getByText('alerted has reached 80 % of rpm on _default_').waitFor()
})

test('errors are shown at their fields', async () => {
  const page = await world.open({ route: '/alerts' })
  world.ignoreErrors(page)
  await page.getByRole('button', { name: 'Add an alert' }).click()
  const form = dialog(page)
  await form.getByLabel('Name').fill('wrong')
  await form.getByLabel('Limits of').selectOption('one policy')
  await form.getByLabel('Policy').fill('TEAM/acme')
  await form.getByLabel('URL').fill('https://10.0.0.1/')
  await form.getByLabel('Secret').fill('env:ALERT_SECRET_MISSING')
  const add = form.getByRole('button', { name: 'Add', exact: true })
  await add.click()
  await form.getByText('Must be <scope>/<selector>').waitFor()
  await form.getByLabel('Policy').fill('TENANT/acme')
  await add.click()
  await form.getByText('Must contain no private address').waitFor()
  await form.getByLabel('URL').fill('https://hooks.example.com/')
  await add.click()
  await form.getByText('ALERT_SECRET_MISSING is not set').waitFor()
  await form.getByLabel('Sent to').selectOption('an SNS topic')
  await form.getByLabel('Topic ARN').fill('arn:aws:sns:eu-central-1:123456789012:alerts')
  await add.click()
  await form.getByText('Must be listed in ALERT_TOPIC_ARNS').waitFor()
  await expectUsableByAll(page)
})

test('a viewer reads alerts, and cannot change them', async () => {
  const webhook = { url: 'https://hooks.example.com/zael', secret: 'env:ALERT_SECRET_OPS' }
  await world.call('PUT', '/api/alerts/read-only', { webhook })
  const page = await world.open({ route: '/alerts', token: 'dev-viewer' })
  await page.getByText('every limit of every entity and policy').waitFor()
  for (const name of ['Add an alert', 'Edit read-only', 'Remove read-only'])
    expect(await page.getByRole('button', { name }).count()).toBe(0)
  await world.call('DELETE', '/api/alerts/read-only')
})
