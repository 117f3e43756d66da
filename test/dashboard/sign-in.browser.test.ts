import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, expectAccessible, expectNoSidewaysScroll, expectUsableByAll } from './support/checks.ts'
import { chatUntilDenied, left, leftNumber, pollInstead, rowOf } from './support/overview-page.ts'
import { type CutOffProxy, openCutOffProxy, type Stage, startStage } from './support/proxies.ts'
import { createDashboardWorld, createOwnEntity, requests } from './support/world.ts'

describe('signing in', () => {
  const world = createDashboardWorld()

  describe('signing in', () => {
    test('removes the token from the address, and keeps it for this tab only', async () => {
      const page = await world.open()
      expect(page.url()).not.toContain('token')
      await page.reload()
      await page.getByRole('navigation', { name: 'Views' }).waitFor()
      const other = await world.open({ token: null })
      await other.getByRole('button', { name: 'Sign in' }).waitFor()
    })

    test('requires a token, and shows why another one is rejected', async () => {
      const page = await world.open({ token: null })
      world.ignoreErrors(page)
      const field = page.getByLabel('Admin or viewer token')
      await field.fill('not-a-token')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page
        .getByRole('alert')
        .filter({ hasText: 'neither the admin token nor the viewer token' })
        .waitFor()
      await field.fill('key-bob')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { name: 'My quota' }).waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await field.fill('dev-viewer')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByText('viewer', { exact: true }).waitFor()
    })

    test('keeps the token while the API cannot be reached', async () => {
      const page = await world.open({ token: null })
      world.ignoreErrors(page)
      await page.route('**/api/dashboard/session', (route) => route.abort())
      await page.getByLabel('Admin or viewer token').fill('dev-viewer')
      await page.getByRole('button', { name: 'Sign in' }).click()
      const alert = page.getByRole('alert').filter({ hasText: 'Check that it is running, then try again' })
      await alert.waitFor()
      expect(await page.evaluate('document.activeElement.name')).toBe('token')
      await page.reload()
      await alert.waitFor()
      await page.unroute('**/api/dashboard/session')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByText('viewer', { exact: true }).waitFor()
    })

    test('signs out, also after a reload', async () => {
      const page = await world.open()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('button', { name: 'Sign in' }).waitFor()
      expect(await page.title()).toBe('Sign in · zael')
      await page.reload()
      await page.getByRole('button', { name: 'Sign in' }).waitFor()
    })

    test('is accessible on every size and in both themes', async () => {
      const page = await world.open({ token: null })
      await page.getByRole('button', { name: 'Sign in' }).waitFor()
      await expectUsableByAll(page)
    })
  })

  let stage: Stage

  beforeAll(async () => {
    stage = await startStage(world.server().apiUrl)
  })

  afterAll(() => stage.close())

  /** Both base URLs; a request to another host fails the test. */
  const bases = ['itself', 'a stage'] as const
  const baseOf = (base: (typeof bases)[number]): string =>
    base === 'itself' ? world.server().apiUrl : stage.url

  describe.each(bases)('below %s', (base) => {
    test('the dashboard signs in, and finds the API', async () => {
      const page = await world.open({ url: `${baseOf(base)}/dashboard` })
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect(new URL(page.url()).pathname).toBe(new URL(`${baseOf(base)}/dashboard`).pathname)
      await page.reload()
      await page.getByRole('navigation', { name: 'Views' }).waitFor()
    })

    test('the API reference runs requests, without any other host', async () => {
      const page = await world.open({ url: `${baseOf(base)}/docs`, token: null })
      const operation = page
        .locator('#operations-Operation-getHealth, .opblock', { hasText: '/health' })
        .first()
      await operation.waitFor()
      await operation.click()
      await operation.getByRole('button', { name: 'Try it out' }).click()
      await operation.getByRole('button', { name: 'Execute' }).click()
      await operation.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor()
    })

    test('the API reference fits on a phone', async () => {
      const page = await world.open({ url: `${baseOf(base)}/redoc`, token: null, size: 'phone' })
      await page.getByText('/v1/chat/completions').first().waitFor({ state: 'attached' })
      await expectNoSidewaysScroll(page)
    })
  })
})

describe('the connection', () => {
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
})
