import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import {
  expectAccessible,
  expectContrast,
  expectNoSidewaysScroll,
  expectUsableByAll,
} from './support/checks.ts'
import { callWith, createDashboardWorld, createOwnEntity, requests, SIZES, tokens } from './support/world.ts'

const world = createDashboardWorld()

const SECTIONS = [
  ['limits', 'of 10 left'],
  ['keys', 'never expires'],
  ['usage', 'The numbers as a table'],
  ['audit', 'Limits set'],
] as const

describe('an entity is accessible on every size and in both themes', () => {
  test.each(SECTIONS)('with its %s', async (section, text) => {
    if (section === 'usage') await callWith(world, 'key-bob')
    const page = await world.open({ route: `/entity/key-bob/${section}` })
    await page.getByText(text).first().waitFor()
    if (section === 'usage') await page.getByText(text).click()
    await expectUsableByAll(page)
  })

  test('while it is edited', async () => {
    const page = await world.open({ route: '/entity/proj-demo/children' })
    await page.getByRole('link', { name: 'key-alice' }).waitFor()
    await page.getByRole('button', { name: 'Edit' }).click()
    await expectUsableByAll(page)
  })

  test('while its limits are edited and reviewed', async () => {
    const page = await world.open({ route: '/entity/key-bob' })
    await page.getByLabel('Resource', { exact: true }).selectOption('_default_')
    await page.getByRole('button', { name: 'Edit limits' }).click()
    await page.getByText('Advanced').first().click()
    await expectUsableByAll(page)
    await page.getByLabel('Capacity').first().fill('77')
    await page.getByRole('button', { name: 'Remove tpm' }).click()
    await page.getByRole('button', { name: 'Review changes' }).click()
    await expectUsableByAll(page)
  })
})

/** The longest id, without a space. */
const LONG_ID = 'x'.repeat(128)

/** The buttons that open dialogs, by the route of their view. */
const OPENERS = {
  [`/entity/${LONG_ID}`]: ['Edit limits', 'Use inherited limits', 'Top up', 'Reset', 'Edit', 'Delete'],
  [`/entity/${LONG_ID}/keys`]: ['Create a key', 'Rotate test', 'Revoke test'],
  [`/entity/${LONG_ID}/children`]: ['Add a child'],
  '/alerts': ['Add an alert'],
  '/policies': ['New policy', 'Edit GLOBAL *', 'Reset GLOBAL *', 'Delete GLOBAL *'],
  '/defaults': ['Register a model', 'Edit tiny-model', 'Remove tiny-model', 'Edit defaults of Everyone'],
} as const

const isInDialog = (page: Page): Promise<boolean> =>
  page.evaluate("document.activeElement?.closest('dialog') !== null")

/** Whether the first field has the focus; true for a confirmation, which has none. */
const isAtFirstField = (page: Page): Promise<boolean> =>
  page.evaluate(`(() => {
    const first = document.querySelector('dialog form :is(input, select, textarea):not(:disabled)')
    return first === null || first === document.activeElement
  })()`)

describe('dialogs are accessible, and usable by keyboard only', () => {
  test.each(Object.entries(OPENERS))('of %s', async (route, openers) => {
    if (route.startsWith('/entity') && !isMade) {
      isMade = true
      await createOwnEntity(world, LONG_ID, [requests(5), tokens(500)])
    }
    const page = await world.open({ route })
    await page.setViewportSize(SIZES.phone)
    if (route === `/entity/${LONG_ID}`)
      await page.getByLabel('Resource', { exact: true }).selectOption('_default_')
    for (const name of openers) {
      const opener = page.getByRole('main').getByRole('button', { name, exact: true })
      await opener.press('Enter')
      await page.getByRole('dialog').waitFor()
      await expectNoSidewaysScroll(page)
      await expectAccessible(page)
      await page.emulateMedia({ colorScheme: 'dark' })
      await expectContrast(page)
      await page.emulateMedia({ colorScheme: 'light' })
      expect(await isInDialog(page)).toBe(true)
      expect(await isAtFirstField(page)).toBe(true)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      const isFocused = () => opener.evaluate((element) => element === element.ownerDocument.activeElement)
      await expect.poll(isFocused).toBe(true)
    }
  })
})

test('a confirmation that fails shows the reason, and keeps the focus on its button', async () => {
  const page = await world.open({ route: '/entity/proj-demo' })
  world.ignoreErrors(page)
  await page.getByRole('main').getByRole('button', { name: 'Delete', exact: true }).click()
  const confirm = page.getByRole('dialog').getByRole('button', { name: 'Delete proj-demo' })
  await confirm.press('Enter')
  await page.getByRole('dialog').getByText('has children').waitFor()
  expect(await confirm.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true)
})

let isMade = false
