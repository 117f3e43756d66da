import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { createPageWorld } from '../page-world.ts'
import { chatUntilDenied, eventually, namesOf } from './overview-page.ts'
import { seedEntities } from './seed-entities.ts'

const world = createPageWorld()

beforeAll(() => seedEntities(world.server().tableUrl, 'many', 1050))

describe('many entities', () => {
  const rowsInDocument = (page: Page) => page.getByRole('list', { name: 'Entities' }).locator('li').count()

  test('are in the document only where they are in sight, and are all reached by scrolling', async () => {
    const page = await world.open()
    await page.getByLabel('Search').fill('many-')
    await page.getByLabel('Per page').selectOption('1000')
    await page.getByText('1,000 entities on this page').waitFor({ timeout: 60_000 })
    expect(await rowsInDocument(page)).toBeLessThan(40)
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight / 2)')
    await page.getByRole('link', { name: 'many-0500' }).waitFor()
    expect(await rowsInDocument(page)).toBeLessThan(40)
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    await page.getByRole('link', { name: 'many-0999' }).waitFor()
    await page.getByRole('button', { name: 'Next' }).last().click()
    await page.getByText('50 entities', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'many-1000' }).waitFor()
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
    await page.getByRole('link', { name: 'many-0050' }).waitFor()
    expect(await next.isDisabled()).toBe(true)
    await previous.click()
    await page.getByRole('link', { name: 'many-0000' }).waitFor()
  })

  test('are searched, and a search that finds nothing says so', async () => {
    const page = await world.open()
    const search = page.getByLabel('Search')
    await search.fill('many-0777')
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
