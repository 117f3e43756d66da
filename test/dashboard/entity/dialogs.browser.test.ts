import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import {
  createPageWorld,
  expectAccessible,
  expectContrast,
  expectNoSidewaysScroll,
  SIZES,
} from '../page-world.ts'
import { createOwnEntity, requests, tokens } from './own-entity.ts'

const world = createPageWorld()

/** As long as ids and names may be, and without a space. */
const LONG_ID = 'x'.repeat(128)

/** What opens dialogs, by the route of the view that it stands on. */
const OPENERS = {
  [`/entity/${LONG_ID}`]: ['Edit limits', 'Use inherited limits', 'Top up', 'Reset', 'Edit', 'Delete'],
  [`/entity/${LONG_ID}/keys`]: ['Create a key', 'Rotate test', 'Revoke test'],
  [`/entity/${LONG_ID}/children`]: ['Add a child'],
  '/policies': ['New policy', 'Edit GLOBAL *', 'Reset GLOBAL *', 'Delete GLOBAL *'],
  '/defaults': ['Register a model', 'Edit tiny-model', 'Remove tiny-model', 'Edit defaults of Everyone'],
} as const

const isInDialog = (page: Page): Promise<boolean> =>
  page.evaluate("document.activeElement?.closest('dialog') !== null")

/** Or there is no field: a confirmation. */
const isAtFirstField = (page: Page): Promise<boolean> =>
  page.evaluate(`(() => {
    const first = document.querySelector('dialog form :is(input, select, textarea):not(:disabled)')
    return first === null || first === document.activeElement
  })()`)

describe('dialogs are usable by all, and by keyboard alone', () => {
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
      expect(await opener.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true)
    }
  })
})

test('a confirmation that fails says why, and keeps the focus on its button', async () => {
  const page = await world.open({ route: '/entity/proj-demo' })
  world.forgive(page)
  await page.getByRole('main').getByRole('button', { name: 'Delete', exact: true }).click()
  const confirm = page.getByRole('dialog').getByRole('button', { name: 'Delete proj-demo' })
  await confirm.press('Enter')
  await page.getByRole('dialog').getByText('has children').waitFor()
  expect(await confirm.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true)
})

let isMade = false
