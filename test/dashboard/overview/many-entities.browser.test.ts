import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { createPageWorld, expectAccessible } from '../page-world.ts'
import { chatUntilDenied, eventually, leftNumber, namesOf, pollInstead, rowOf } from './overview-page.ts'
import { seedEntities } from './seed-entities.ts'

/** Pages are read beside everything else that a machine under test does. */
const world = createPageWorld({ STORE_DEADLINE_MS: '5000' })

beforeAll(() => seedEntities(world.server().tableUrl, 'many', 120))

/** A page of a thousand entities, of which each has a little more left every round. */
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

  test('are in the document only where they are in sight, are all reached by scrolling, and change in place', async () => {
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

  test('are gone through page by page, back as well', async () => {
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
    expect(await next.isDisabled()).toBe(true)
    await previous.click()
    await page.getByRole('link', { name: 'many-0000' }).waitFor()
  })

  test('are searched, and a search that finds nothing says so', async () => {
    const page = await world.open()
    const search = page.getByLabel('Search')
    await search.fill('many-0077')
    await page.getByText('1 entity', { exact: true }).waitFor()
    await search.fill('nobody at all')
    await page.getByText('No entity’s id or name contains “nobody at all”').waitFor()
    await page.getByRole('button', { name: 'Clear the search' }).click()
    await page.getByRole('link', { name: 'Enterprise Co' }).waitFor()
  })

  test('can begin with those that have the least left', async () => {
    await chatUntilDenied(world, 'key-alice', 900)
    const page = await world.open()
    await page.getByLabel('Order').selectOption('Least left first')
    await eventually(async () => (await namesOf(page))[0]).toBe('Alice')
    await page.getByLabel('Order').selectOption('By name')
    await eventually(async () => (await namesOf(page))[0]).toBe('Alice')
    await page.getByLabel('Order').selectOption('By id')
    await eventually(async () => (await namesOf(page))[0]).toBe('Enterprise user 1')
  })
})
