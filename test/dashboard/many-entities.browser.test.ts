import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { seedEntities } from '../../bench/seed-entities.ts'
import { eventually, expectAccessible } from './support/checks.ts'
import { chatUntilDenied, leftNumber, namesOf, pollInstead, rowOf } from './support/overview-page.ts'
import { createDashboardWorld, createOwnEntity, requests } from './support/world.ts'

/** Pages are read while other tests run. */
const world = createDashboardWorld({ STORE_DEADLINE_MS: '5000' })

beforeAll(() => seedEntities(world.server().tableUrl, 'many', 120))

/** A page of a thousand entities, each with a little more available in every round. */
const thousand = (round: number) => ({
  entities: Array.from({ length: 1000 }, (_, at) => ({
    entity_id: `e-${String(at).padStart(4, '0')}`,
    name: `Entity ${at}`,
    parent_id: null,
    limits: ['rpm', 'tpm'].map((name) => ({
      name,
      resource: '_default_',
      capacity: 10_000,
      available: (at % 100) * 50 + round * 10,
      utilization_percent: 50,
    })),
  })),
  next_cursor: null,
})

describe('many entities', () => {
  const rowsInDocument = (page: Page) => page.getByRole('list', { name: 'Entities' }).locator('li').count()

  test('are rendered only if visible, are all reached by scrolling, and update in place', async () => {
    const page = await world.open({ token: null })
    let round = 0
    await pollInstead(page, () => thousand(round++))
    await page.getByText('1,000 entities').waitFor()
    expect(await rowsInDocument(page)).toBeLessThan(40)
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight / 2)')
    await page.getByRole('link', { name: 'Entity 500', exact: true }).waitFor()
    expect(await rowsInDocument(page)).toBeLessThan(40)
    const before = await leftNumber(page, 'Entity 500', 'rpm')
    const row = await rowOf(page, 'Entity 500').elementHandle()
    await eventually(() => leftNumber(page, 'Entity 500', 'rpm')).toBeGreaterThan(before)
    expect(await row?.evaluate((element) => element.isConnected)).toBe(true)
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    await page.getByRole('link', { name: 'Entity 999', exact: true }).waitFor()
    await expectAccessible(page)
  })

  test('are paged forwards and backwards', async () => {
    const page = await world.open()
    await page.getByLabel('Search').fill('MANY-00')
    await page.getByLabel('Per page').selectOption('50')
    const next = page.getByRole('button', { name: 'Next' }).first()
    const previous = page.getByRole('button', { name: 'Previous' }).first()
    await page.getByRole('link', { name: 'many-0000' }).waitFor()
    expect(await previous.isDisabled()).toBe(true)
    await next.click()
    await page.getByRole('link', { name: 'many-0050' }).click()
    await page.waitForURL('**/dashboard#/entity/many-0050')
    await page.goBack()
    await page.getByText('Page 2').first().waitFor()
    await page.getByRole('link', { name: 'many-0050' }).waitFor()
    expect(await page.getByLabel('Search').inputValue()).toBe('MANY-00')
    await previous.click()
    await page.getByRole('link', { name: 'many-0000' }).waitFor()
  })

  test('are searched, with a message if nothing matches', async () => {
    const page = await world.open()
    const search = page.getByLabel('Search')
    await search.fill('many-0077')
    await page.getByText('1 entity', { exact: true }).waitFor()
    await search.fill('nobody at all')
    await page.getByText('No entity’s id or name contains “nobody at all”').waitFor()
    await page.getByRole('button', { name: 'Clear the search' }).click()
    await page.getByRole('link', { name: 'Enterprise Co' }).waitFor()
  })

  test('are searched across empty pages automatically, and on demand after a short page', async () => {
    const page = await world.open({ token: null })
    const requested: (string | null)[] = []
    await pollInstead(page)
    await page.route('**/api/dashboard/entities?*', (route) => {
      const cursor = new URL(route.request().url()).searchParams.get('cursor')
      if (requested.at(-1) !== cursor) requested.push(cursor)
      const found = { ...thousand(0).entities[7], name: `Found at ${cursor}` }
      const pages: Record<string, object> = {
        null: { entities: [], next_cursor: 'b' },
        b: { entities: [], next_cursor: 'c' },
        c: { entities: [found], next_cursor: 'd' },
        d: { entities: [found], next_cursor: null },
      }
      return route.fulfill({ json: pages[String(cursor)] ?? {} })
    })
    await page.getByLabel('Search').fill('found')
    await page.getByRole('link', { name: 'Found at c' }).waitFor()
    expect(requested).toEqual([null, 'b', 'c'])
    await page.getByText('Page 1').first().waitFor()
    await page.getByRole('button', { name: 'Continue searching' }).first().click()
    await page.getByRole('link', { name: 'Found at d' }).waitFor()
    await page.getByRole('button', { name: 'Previous' }).first().click()
    await page.getByRole('link', { name: 'Found at c' }).waitFor()
    expect(requested).toEqual([null, 'b', 'c', 'd', 'c'])
  })

  test('are searched automatically for a bounded number of pages', async () => {
    const page = await world.open({ token: null })
    let requested = 0
    // before the overview starts its first timer, so that it never has timers of both clocks
    await page.clock.install()
    await pollInstead(page)
    await page.route('**/api/dashboard/entities?*', (route) => {
      requested = Math.max(requested, Number(new URL(route.request().url()).searchParams.get('cursor')))
      return route.fulfill({ json: { entities: [], next_cursor: String(requested + 1) } })
    })
    await page.getByLabel('Search').fill('found')
    const button = page.getByRole('button', { name: 'Continue searching', exact: true }).last()
    await eventually(async () => {
      await page.clock.runFor(1000)
      return requested
    }).toBe(20)
    await page.clock.runFor(10_000)
    await page.getByText('Many entities have been searched, and more remain.').waitFor()
    expect(requested).toBe(20)
    await button.click()
    await eventually(async () => {
      await page.clock.runFor(1000)
      return requested
    }).toBeGreaterThan(20)
  })

  test('can be sorted by the least available', async () => {
    const { secret } = await createOwnEntity(world, 'f-scarce', [requests(2)])
    await chatUntilDenied(world, secret, 1)
    const page = await world.open()
    await page.getByLabel('Order').selectOption('Least left first')
    await eventually(async () => (await namesOf(page))[0]).toBe('Name of f-scarce')
    await page.getByLabel('Order').selectOption('By name')
    await eventually(async () => (await namesOf(page))[0]).toBe('Alice')
    await page.getByLabel('Order').selectOption('By id')
    await eventually(async () => (await namesOf(page))[0]).toBe('Enterprise user 1')
  })
})
