import type { Locator } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { eventually, expectAccessible, expectNoSidewaysScroll, expectUsableByAll } from './support/checks.ts'
import { barShare, chatUntilDenied, left, leftNumber, namesOf, rowOf } from './support/overview-page.ts'
import { createDashboardWorld, createOwnEntity, requests, SIZES } from './support/world.ts'

const world = createDashboardWorld()

/** Whether the text of an element is inside its row, and the row inside the window. */
const isWhole = (place: Locator): Promise<boolean> =>
  place.evaluate((element) => {
    const { ownerDocument } = element
    const text = ownerDocument.createRange()
    text.selectNodeContents(element)
    const [inner, row] = [
      text.getBoundingClientRect(),
      element.closest('.row-entity')?.getBoundingClientRect(),
    ]
    return (
      row !== undefined &&
      inner.left >= row.left &&
      inner.right <= row.right &&
      inner.bottom <= row.bottom &&
      row.right <= ownerDocument.documentElement.clientWidth
    )
  })

describe('the overview', () => {
  test('is a tree of projects and their keys, each with the available amounts of its limits', async () => {
    const page = await world.open()
    await eventually(() => namesOf(page)).toContain('Demo project')
    const names = await namesOf(page)
    expect(names.slice(names.indexOf('Demo project'))).toEqual(['Demo project', 'Alice', 'Bob', 'Charlie'])
    expect(await left(page, 'Alice', 'rpm').textContent()).toBe('30 of 30')
    await rowOf(page, 'Alice').getByText('below proj-demo').waitFor({ state: 'attached' })
    await page.locator('.connection-state').getByText('Live').waitFor()
  })

  test('shows used-up requests at once', async () => {
    const entity = await createOwnEntity(world, 'spender', [requests(10)])
    const page = await world.open()
    await left(page, 'Name of spender', 'rpm').getByText('10 of 10').waitFor()
    expect(await chatUntilDenied(world, entity.secret, 1)).toContain('on requests per')
    await left(page, 'Name of spender', 'rpm').getByText('0 of 10').waitFor()
    await rowOf(page, 'Name of spender').getByText('on gpt-4').waitFor()
    await eventually(() => barShare(page, 'Name of spender', 'rpm')).toBe(0)
    await page.getByText('nearly used up').waitFor()
  })

  test('shows tokens as they refill', async () => {
    const slowly = { name: 'tpm', capacity: 1_000_000, refill_rate: 100 }
    const entity = await createOwnEntity(world, 'refilling', [slowly])
    const page = await world.open()
    await left(page, 'Name of refilling', 'tpm').getByText('1,000,000 of 1,000,000').waitFor()
    await entity.charge({ tokens: 990_000 })
    await rowOf(page, 'Name of refilling').locator('.row-limit.high').filter({ hasText: 'tpm' }).waitFor()
    const before = await leftNumber(page, 'Name of refilling', 'tpm')
    await eventually(() => leftNumber(page, 'Name of refilling', 'tpm')).toBeGreaterThan(before + 100)
    await eventually(() => barShare(page, 'Name of refilling', 'tpm')).toBeGreaterThan(0.01)
  })

  test('shows numbers in full at any width, money in dollars, and paused limits', async () => {
    await createOwnEntity(world, 'rich', [
      { name: 'tpm', capacity: 5_000_000_000, refill_rate: 1000 },
      {
        name: 'huge',
        meter: 'tokens',
        algorithm: 'fixed_window',
        limit: Number.MAX_SAFE_INTEGER,
        window: 'day',
      },
      {
        name: 'budget',
        meter: 'cost_usd_micros',
        algorithm: 'fixed_window',
        limit: 5_000_000_000,
        window: 'month',
      },
      { name: 'rpd', algorithm: 'fixed_window', limit: 0, window: 'day' },
    ])
    const page = await world.open()
    const most = '9,007,199,254,740,991'
    for (const width of [1280, 1010, 1000, 770, 390, 360]) {
      await page.setViewportSize({ width, height: 900 })
      for (const [name, text] of [
        ['tpm', '5,000,000,000 of 5,000,000,000'],
        ['huge', `${most} of ${most}`],
        ['budget', '$5,000 of $5,000'],
        ['rpd', 'paused'],
      ] as const) {
        const place = left(page, 'Name of rich', name)
        await place.waitFor()
        expect((await place.textContent())?.replaceAll(/\s+/g, ' ')).toBe(text)
        expect(await isWhole(place), `${name} at ${width} px`).toBe(true)
      }
      await expectNoSidewaysScroll(page)
    }
    await rowOf(page, 'Name of rich').locator('.row-limit.paused .bar.paused').waitFor({ state: 'attached' })
  })

  test('links to the view of an entity', async () => {
    const page = await world.open()
    await page.getByRole('link', { name: 'Alice', exact: true }).click()
    await page.waitForURL('**/dashboard#/entity/key-alice')
  })
})

describe('a new entity', () => {
  test('is created in a dialog, which shows errors at their fields', async () => {
    const page = await world.open()
    world.ignoreErrors(page)
    await page.getByRole('button', { name: 'New entity' }).click()
    const dialog = page.getByRole('dialog', { name: 'New entity' })
    await dialog.getByLabel('Id', { exact: true }).fill('key dora')
    await dialog.getByLabel('Name', { exact: true }).fill('Dora')
    // before anything is sent
    await dialog.getByText('Must be 1 to 128').waitFor()
    expect(await dialog.getByLabel('Id', { exact: true }).getAttribute('required')).not.toBeNull()
    await dialog.getByRole('button', { name: 'Create' }).click()
    expect(await page.evaluate('document.activeElement.value')).toBe('key dora')
    expect(await dialog.getByLabel('Id', { exact: true }).getAttribute('aria-invalid')).toBe('true')
    await dialog.getByLabel('Id', { exact: true }).fill('key-dora')
    await dialog.getByLabel('Parent', { exact: true }).fill('no-one')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await dialog.getByLabel('Parent', { exact: true }).and(page.locator('[aria-invalid="true"]')).waitFor()
    await expectAccessible(page)
    await dialog.getByLabel('Parent', { exact: true }).fill('proj-demo')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await page.waitForURL('**/dashboard#/entity/key-dora')
    await page.goBack()
    await rowOf(page, 'Dora').getByText('below proj-demo').waitFor({ state: 'attached' })
    await world.call('DELETE', '/api/entities/key-dora')
    await rowOf(page, 'Dora').waitFor({ state: 'detached' })
  })

  test('cannot be created by a viewer', async () => {
    const page = await world.open({ token: 'dev-viewer' })
    await page.getByRole('link', { name: 'Demo project' }).waitFor()
    expect(await page.getByRole('button', { name: 'New entity' }).count()).toBe(0)
  })
})

test('the overview is accessible on every size and in both themes', async () => {
  const page = await world.open()
  await page.getByRole('link', { name: 'Demo project' }).waitFor()
  await expectUsableByAll(page)
})

test('every view is visible in the navigation of a phone', async () => {
  const page = await world.open({ size: 'phone' })
  const links = page.getByRole('navigation', { name: 'Views' }).getByRole('link')
  expect(await links.allInnerTexts()).toEqual([
    'Overview',
    'Try it',
    'Policy check',
    'Policies',
    'Defaults',
    'Alerts',
    'Stats',
  ])
  for (const link of await links.all()) {
    const box = await link.boundingBox()
    expect(box && box.x >= 0 && box.x + box.width <= SIZES.phone.width).toBe(true)
  }
})

test('an unknown address shows a message with a link', async () => {
  const page = await world.open({ route: '/nowhere' })
  await page.getByText('There is no page at #/nowhere').waitFor()
  expect(await page.title()).toBe('Page not found · zael')
  await expectAccessible(page)
  await page.getByRole('link', { name: 'Go to the overview' }).click()
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
})
