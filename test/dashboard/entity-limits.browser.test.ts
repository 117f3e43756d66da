import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { expectAccessible } from './support/checks.ts'
import { createDashboardWorld, createOwnEntity, requests, SIZES, tokens } from './support/world.ts'

const world = createDashboardWorld()

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const inForce = (page: Page) => page.getByRole('region', { name: 'Effective limits' })
const saved = (page: Page) => page.getByRole('dialog').waitFor({ state: 'detached' })
const choose = (page: Page, resource: string) =>
  page.getByLabel('Resource', { exact: true }).selectOption(resource)

describe('the limits of an entity', () => {
  test('show their sources, the limits they override, and other enforced limits', async () => {
    const page = await world.open({ route: '/entity/key-bob' })
    await choose(page, 'gpt-4')
    const rpm = inForce(page).getByRole('listitem').filter({ hasText: 'rpm' })
    await rpm.getByText('set for every resource').waitFor()
    await rpm.getByText('instead of 60, refilled 60 per minute').waitFor()
    await rpm.getByText('10 of 10 left').waitFor()
    const others = page.getByRole('region', { name: 'Also enforced' })
    await others.getByRole('link', { name: 'proj-demo' }).waitFor()
    await others.getByText('1,000 of 1,000 left').waitFor()
    await others.getByRole('heading', { name: 'Policy MODEL_TIER premium' }).waitFor()
  })

  test('apply to the next request, after a review of the changes', async () => {
    const entity = await createOwnEntity(world, 'edited', [
      requests(1),
      { name: 'tpm', capacity: 90, refill_rate: 1 },
    ])
    expect([await entity.call(), await entity.call()]).toEqual([200, 429])
    const page = await world.open({ route: '/entity/edited' })
    await inForce(page).getByText('0 of 1 left').waitFor()
    await choose(page, '_default_')
    await button(page, 'Edit limits').click()
    await page.getByRole('group', { name: 'rpm' }).getByLabel('Capacity').fill('4')
    await button(page, 'Remove tpm').click()
    await button(page, 'Review changes').click()
    const changes = page.getByRole('region', { name: 'What changes' })
    await changes.getByText('1, refilled 1 per hour').waitFor()
    await changes.getByText('4, refilled 1 per hour').waitFor()
    await changes.getByText('Inherited again: 10,000, refilled 10,000 per minute').waitFor()
    await button(page, 'Save').click()
    await saved(page)
    await inForce(page).getByText('4 requests, refilled 1 per hour').waitFor()
    expect(await entity.call()).toBe(200)
    await choose(page, 'gpt-4')
    await inForce(page).getByText('2 of 4 left').waitFor()
  })

  test('of two administrators who edit at once are not overwritten: the second one sees what changed', async () => {
    await createOwnEntity(world, 'shared', [requests(1), { name: 'tpm', capacity: 90, refill_rate: 1 }])
    const [first, second] = [
      await world.open({ route: '/entity/shared' }),
      await world.open({ route: '/entity/shared' }),
    ]
    for (const page of [first, second]) {
      await choose(page, '_default_')
      await button(page, 'Edit limits').click()
    }
    world.ignoreErrors(second)
    const capacity = (page: Page, name: string) => page.getByRole('group', { name }).getByLabel('Capacity')
    await capacity(first, 'rpm').fill('4')
    await capacity(second, 'tpm').fill('900')
    for (const page of [first, second]) await button(page, 'Review changes').click()
    await button(first, 'Save').click()
    await saved(first)
    await button(second, 'Save').click()
    await second.getByRole('alert').filter({ hasText: 'Someone else has changed these limits' }).waitFor()
    const theirs = second.getByRole('region', { name: 'What someone else changed' })
    await theirs.getByText('4, refilled 1 per hour').waitFor()
    const own = second.getByRole('region', { name: 'What changes' })
    await own.getByText('900').first().waitFor()
    // saving would undo the first one's change, and says so
    await own.getByText('1, refilled 1 per hour').waitFor()
    await button(second, 'Back').click()
    await capacity(second, 'rpm').fill('4')
    await button(second, 'Review changes').click()
    await button(second, 'Apply again').click()
    await saved(second)
    await inForce(second).getByText('4 requests, refilled 1 per hour').waitFor()
    await inForce(second).getByText('900 tokens').waitFor()
  })

  test('may have other sizes at some times, stated as days and hours or by cron', async () => {
    await createOwnEntity(world, 'timed', [requests(10)])
    const page = await world.open({ route: '/entity/timed' })
    await choose(page, '_default_')
    await button(page, 'Edit limits').click()
    const rpm = page.getByRole('group', { name: 'rpm' })
    await rpm.getByText('Other sizes at some times').click()
    await button(page, 'Add a time').click()
    const first = page.getByRole('group', { name: 'Time 1' })
    await first.getByLabel('In the time zone').fill('UTC')
    await first.getByLabel('Size then').fill('100')
    // all day: it holds now
    await first.getByLabel('From').fill('00:00')
    await first.getByLabel('Until').fill('00:00')
    await first.getByText(/^Next: \w{3},? \d+ \w{3},? 00:00 to/).waitFor()
    await button(page, 'Add a time').click()
    const second = page.getByRole('group', { name: 'Time 2' })
    await second.getByLabel('Stated as').selectOption('cron expression')
    await second.getByLabel('Begins at (cron)').fill('0 0 1 1 *')
    await second.getByLabel('Lasts, hours').fill('24')
    await second.getByLabel('Size then').fill('0')
    await second.getByText(/^Next: .*1 Jan/).waitFor()
    await expectAccessible(page)
    await button(page, 'Review changes').click()
    await page.getByText('every day 00:00–00:00 (UTC)').waitFor()
    await button(page, 'Save').click()
    await saved(page)
    await inForce(page).getByText('100 requests, refilled').waitFor()
    await inForce(page).getByText('Its size by schedule').waitFor()
    await inForce(page).getByText('100 of 100 left').waitFor()
    await button(page, 'Edit limits').click()
    expect(await page.getByRole('group', { name: 'Time 1' }).getByLabel('Size then').inputValue()).toBe('100')
  })

  test('show an error at its field, and are not saved', async () => {
    await createOwnEntity(world, 'wrong', [requests(3)])
    const page = await world.open({ route: '/entity/wrong' })
    world.ignoreErrors(page)
    await button(page, 'Edit limits').click()
    await button(page, 'Add a limit').click()
    const added = page.getByRole('group', { name: 'new limit' })
    await added.getByLabel('Algorithm').selectOption('Fixed window')
    await added.getByLabel('Limit', { exact: true }).fill('7')
    await added.getByLabel('Time zone').fill('Mars')
    await added.getByLabel('Name').fill('rpd')
    await button(page, 'Review changes').click()
    await button(page, 'Save').click()
    await page.getByText('Must be a time zone').waitFor()
    const field = page.getByRole('group', { name: 'rpd' }).getByLabel('Time zone')
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    expect(await page.evaluate('document.activeElement.value')).toBe('Mars')
    await field.fill('Europe/Berlin')
    await button(page, 'Review changes').click()
    await page.getByText('7 per day (Europe/Berlin)').waitFor()
    await button(page, 'Save').click()
    await saved(page)
    await inForce(page).getByText('7 requests per day (Europe/Berlin)').waitFor()
  })

  test('are set for one resource, and removed in favour of the inherited ones', async () => {
    await createOwnEntity(world, 'returning', [requests(3)])
    const page = await world.open({ route: '/entity/returning' })
    await choose(page, 'gpt-4o')
    await button(page, 'Edit limits').click()
    await button(page, 'Start from the inherited limits').click()
    await page.getByRole('group', { name: 'rpm' }).getByLabel('Capacity').fill('2')
    await button(page, 'Review changes').click()
    await page.getByText('instead of 3, refilled 1 per hour').waitFor()
    await button(page, 'Save').click()
    await saved(page)
    await inForce(page).getByText('set for gpt-4o').first().waitFor()
    await button(page, 'Use inherited limits').click()
    await button(page, 'Remove these limits').click()
    await page.getByText('The inherited limits apply again.').waitFor()
    await button(page, 'Use inherited limits').waitFor({ state: 'detached' })
    await inForce(page).getByText('set for every resource').waitFor()
    await inForce(page).getByText('3 requests, refilled 1 per hour').waitFor()
  })

  test('are topped up, and full after a reset', async () => {
    const entity = await createOwnEntity(world, 'refilled', [requests(5)])
    for (const status of [200, 200, 200]) expect(await entity.call()).toBe(status)
    const page = await world.open({ route: '/entity/refilled' })
    await inForce(page).getByText('2 of 5 left').waitFor()
    await button(page, 'Top up').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Amount').fill('1')
    await dialog.getByRole('button', { name: 'Top up' }).click()
    await inForce(page).getByText('3 of 5 left').waitFor()
    await button(page, 'Reset').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click()
    await inForce(page).getByText('5 of 5 left').waitFor()
  })

  test('of money are shown and edited in dollars, and sent in micro-dollars', async () => {
    const daily = { algorithm: 'fixed_window', window: 'day' }
    await createOwnEntity(world, 'budgeted', [
      { name: 'budget', meter: 'cost_usd_micros', ...daily, limit: 5_000_000_000 },
    ])
    const page = await world.open({ route: '/entity/budgeted' })
    await inForce(page).getByText('$5,000 of $5,000 left').waitFor()
    await choose(page, '_default_')
    await button(page, 'Edit limits').click()
    const budget = page.getByRole('group', { name: 'budget' })
    expect(await budget.getByLabel('Limit, US dollars').inputValue()).toBe('5000')
    await budget.getByLabel('Limit, US dollars').fill('12.5')
    await button(page, 'Review changes').click()
    const changes = page.getByRole('region', { name: 'What changes' })
    await changes.getByText('$5,000 per day (UTC)').waitFor()
    await changes.getByText('$12.50 per day (UTC)').waitFor()
    await button(page, 'Save').click()
    await saved(page)
    await inForce(page).getByText('$12.50 of $12.50 left').waitFor()
    expect(await world.call('GET', '/api/limits/budgeted')).toMatchObject({
      limits: expect.arrayContaining([expect.objectContaining({ name: 'budget', limit: 12_500_000 })]),
    })
    await button(page, 'Top up').click()
    await page.getByRole('dialog').getByLabel('Limit').selectOption('budget')
    await page.getByRole('dialog').getByLabel('Amount, US dollars').fill('0.5')
    await page.getByRole('dialog').getByRole('button', { name: 'Top up' }).click()
    await saved(page)
    await page.getByRole('link', { name: 'Audit' }).click()
    await page.getByRole('region', { name: 'Audit' }).getByText('$0.50').waitFor()
  })

  test('show numbers and names in full while they are edited, at any width', async () => {
    const name = `tpm_${'x'.repeat(28)}`
    await createOwnEntity(world, 'wide', [
      { name, meter: 'tokens', capacity: 123_456_789_012_345, refill_rate: 1_000_000 },
    ])
    const page = await world.open({ route: '/entity/wide' })
    await button(page, 'Edit limits').click()
    const group = page.getByRole('group', { name })
    for (const size of Object.values(SIZES)) {
      await page.setViewportSize(size)
      const cutPx = await group
        .getByLabel('Capacity')
        .evaluate((input) => input.scrollWidth - input.clientWidth)
      expect(cutPx).toBe(0)
      const title = await group.locator('legend').boundingBox()
      const remove = await button(page, `Remove ${name}`).boundingBox()
      expect((title?.x ?? 0) + (title?.width ?? 0)).toBeLessThanOrEqual(remove?.x ?? 0)
    }
  })

  test('are paused by a size of 0, and shown as paused', async () => {
    const entity = await createOwnEntity(world, 'pausing', [requests(3)])
    const page = await world.open({ route: '/entity/pausing' })
    await choose(page, '_default_')
    await button(page, 'Edit limits').click()
    await page.getByRole('group', { name: 'rpm' }).getByLabel('Capacity').fill('0')
    await page.getByText(/^0: paused, denies every /).waitFor()
    await button(page, 'Review changes').click()
    await page.getByRole('region', { name: 'What changes' }).getByText('paused').waitFor()
    await button(page, 'Save').click()
    await saved(page)
    await inForce(page)
      .getByText(/^paused: denies every /)
      .waitFor()
    expect(await entity.call()).toBe(429)
    const waiting = page.getByRole('region', { name: 'Wait time' })
    await waiting.getByRole('button', { name: 'Calculate' }).click()
    await waiting.getByText('Can never pass, limited by rpm').waitFor()
  })

  test('refresh when other callers use them', async () => {
    const entity = await createOwnEntity(world, 'watched', [requests(9)])
    const page = await world.open({ route: '/entity/watched' })
    await choose(page, 'gpt-4')
    await inForce(page).getByText('9 of 9 left').waitFor()
    await entity.call()
    await inForce(page).getByText('8 of 9 left').waitFor()
  })

  test('show a debt, and when tokens are available again', async () => {
    const entity = await createOwnEntity(world, 'indebted', [tokens(1000)])
    await entity.overdraw(2200)
    const page = await world.open({ route: '/entity/indebted' })
    await inForce(page)
      .getByText(/^−1,200 of 1,000 left \(in debt, available again in 49 d \d+ h\)/)
      .waitFor()
  })

  test('show the wait time of a request', async () => {
    const page = await world.open({ route: '/entity/key-charlie' })
    const waiting = page.getByRole('region', { name: 'Wait time' })
    const request = async (tokens: string) => {
      await waiting.getByLabel('Tokens').fill(tokens)
      await waiting.getByRole('button', { name: 'Calculate' }).click()
    }
    await request('100')
    await waiting.getByText('May pass now').waitFor()
    await request('2001')
    await waiting.getByText('Can never pass, limited by tpm').waitFor()
  })

  test('show a viewer the available amounts of parents and policies', async () => {
    const page = await world.open({ route: '/entity/ent-user-1', token: 'dev-viewer' })
    const others = page.getByRole('region', { name: 'Also enforced' })
    await others.getByText(/ of 500 left/).waitFor()
    await others.getByText(/ of 1,000,000 left/).waitFor()
  })

  test('show a viewer no actions', async () => {
    const page = await world.open({ route: '/entity/key-bob', token: 'dev-viewer' })
    await inForce(page).getByText('of 10 left').waitFor()
    const buttons = await page.getByRole('main').getByRole('button').allTextContents()
    expect(buttons).toEqual(['Calculate'])
  })
})
