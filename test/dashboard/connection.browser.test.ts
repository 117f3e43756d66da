import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, expectAccessible } from './support/checks.ts'
import { chatUntilDenied, left, leftNumber, pollInstead, rowOf } from './support/overview-page.ts'
import { type CutOffProxy, openCutOffProxy } from './support/proxies.ts'
import { createDashboardWorld, createOwnEntity, requests } from './support/world.ts'

const world = createDashboardWorld()
let proxy: CutOffProxy

beforeAll(async () => {
  proxy = await openCutOffProxy(world.server().apiUrl)
})

afterAll(() => proxy.close())

const badge = (page: Page): Locator => page.locator('.connection-state')

/** The announcements of the connection to screen readers. */
const watchAnnouncements = (page: Page): Promise<void> =>
  page.evaluate(`
    window.announced = []
    new MutationObserver(() => announced.push(document.querySelector('.connection [role=status]')?.textContent))
      .observe(document.querySelector('.connection [role=status]'), { childList: true, characterData: true, subtree: true })
  `)

const announcements = (page: Page): Promise<readonly string[]> => page.evaluate('announced')

const open = async (): Promise<Page> => {
  const page = await world.open({ url: `${proxy.url}/dashboard` })
  world.ignoreErrors(page)
  await badge(page).getByText('Live').waitFor()
  return page
}

describe('the connection', () => {
  test('is announced as lost once, with the next attempt, and recovers with current numbers', async () => {
    const entity = await createOwnEntity(world, 'cut-off', [requests(10)])
    const page = await open()
    await left(page, 'Name of cut-off', 'rpm').getByText('10 of 10').waitFor()
    await watchAnnouncements(page)
    proxy.cut()
    await badge(page).getByText('Offline').waitFor()
    await badge(page)
      .getByText(/next try in \d+ s|trying/)
      .waitFor()
    await chatUntilDenied(world, entity.secret, 1)
    expect(await leftNumber(page, 'Name of cut-off', 'rpm')).toBe(10)
    await expectAccessible(page)
    proxy.restore()
    await badge(page).getByText('Live').waitFor()
    await left(page, 'Name of cut-off', 'rpm').getByText('0 of 10').waitFor()
    expect(await announcements(page)).toEqual([expect.stringMatching(/^Offline/), 'Live'])
  })

  test('is retried at once when the browser is online again', async () => {
    const page = await open()
    await page.context().setOffline(true)
    await badge(page).getByText('Offline').waitFor()
    await page.context().setOffline(false)
    await badge(page).getByText('Live').waitFor()
  })

  test('ends when the view closes, and starts again when it opens', async () => {
    const page = await open()
    const ended: string[] = []
    page.on('requestfailed', (request) => ended.push(new URL(request.url()).pathname))
    await page.getByRole('link', { name: 'Stats' }).click()
    await eventually(async () => ended).toContain('/api/dashboard/stream')
    await page.getByRole('link', { name: 'Overview' }).click()
    await badge(page).getByText('Live').waitFor()
  })

  test('polls if the node cannot stream', async () => {
    const entity = await createOwnEntity(world, 'polled', [requests(10)])
    const page = await world.open({ token: null })
    const requested: string[] = []
    page.on('request', (request) => requested.push(new URL(request.url()).pathname))
    await pollInstead(page)
    await badge(page).getByText('Polling').waitFor()
    await rowOf(page, 'Name of polled').waitFor()
    await chatUntilDenied(world, entity.secret, 1)
    await rowOf(page, 'Name of polled').locator('.row-limit.high').waitFor()
    expect(requested).not.toContain('/api/dashboard/stream')
  })
})
