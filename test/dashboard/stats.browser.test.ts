import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import type { Traffic } from '../../dashboard/api/responses.ts'
import { eventually, expectNoSidewaysScroll, expectUsableByAll } from './support/checks.ts'
import { createDashboardWorld, DEADLINE_MS, SIZES } from './support/world.ts'

const world = createDashboardWorld()

/** `key-bob` is limited to ten requests per minute. */
const askAsBob = async (times: number): Promise<readonly number[]> => {
  const statuses: number[] = []
  for (let asked = 0; asked < times; asked += 1) {
    const response = await fetch(`${world.server().apiUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer key-bob', 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4',
        max_tokens: 5,
        messages: [{ role: 'user', content: 'Hello' }],
      }),
    })
    await response.body?.cancel()
    statuses.push(response.status)
  }
  return statuses
}

const count = (statuses: readonly number[], status: number): number =>
  statuses.filter((each) => each === status).length

/** Resolves once the usage includes the requests: denials are written after up to ten seconds. */
const untilCounted = (admitted: number, denied: number): Promise<void> =>
  expect
    .poll(
      async () => {
        const { points } = (await world.call('GET', '/api/usage/key-bob')) as {
          points: { requests: number; denied: number }[]
        }
        return {
          admitted: points.reduce((sum, point) => sum + point.requests, 0),
          denied: points.reduce((sum, point) => sum + point.denied, 0),
        }
      },
      { timeout: DEADLINE_MS, interval: 250 },
    )
    .toEqual({ admitted, denied })

const total = (page: Page, name: string) =>
  page.locator('.total').filter({ has: page.getByText(name, { exact: true }) })

const withTraffic = async (page: Page, change: (traffic: Traffic) => Traffic) => {
  await page.route('**/api/dashboard/stats*', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ json: change(await response.json()) })
  })
  await page.goto(`${world.server().apiUrl}/dashboard#/stats`)
}

const canvasWidth = (page: Page): Promise<number> =>
  page.locator('.chart canvas').evaluate((canvas) => canvas.getBoundingClientRect().width)

describe('the stats', () => {
  test('show the admitted and denied requests of an entity', async () => {
    const statuses = await askAsBob(14)
    const [admitted, denied] = [count(statuses, 200), count(statuses, 429)]
    expect(denied).toBeGreaterThan(0)
    await untilCounted(admitted, denied)
    const page = await world.open({ route: '/stats', token: 'dev-viewer' })
    await total(page, 'Admitted').getByText(String(admitted), { exact: true }).waitFor()
    await total(page, 'Denied').getByText(String(denied), { exact: true }).waitFor()
    await page.getByText('The numbers as a table').click()
    await page.locator('details tr').getByText(String(admitted), { exact: true }).waitFor()
    await page.locator('.chart canvas').waitFor()
    const bob = page.getByRole('row').filter({ hasText: 'key-bob' })
    await bob.getByText('100 %').waitFor()
    await bob.getByRole('link', { name: 'Bob' }).click()
    await page.waitForURL(/#\/entity\/key-bob$/)
  })

  test('show thirty days by day', async () => {
    const page = await world.open({ route: '/stats' })
    await page.getByRole('radio', { name: 'Last 30 days' }).check()
    await page.getByRole('heading', { name: 'By UTC day' }).waitFor()
    await page.getByText('The numbers as a table').click()
    expect(await page.locator('details tbody tr').count()).toBe(30)
  })

  test('show the next step if there are no requests', async () => {
    const page = await world.open()
    await withTraffic(page, (traffic) => ({ ...traffic, admitted: 0, denied: 0, points: [], top_denied: [] }))
    await page.getByText('No requests in the last 24 hours').waitFor()
    await page.getByRole('link', { name: 'Send a test request' }).click()
    await page.waitForURL(/#\/try$/)
  })

  test('list the entities that were left out', async () => {
    const page = await world.open()
    await withTraffic(page, (traffic) => ({ ...traffic, is_partial: true, entities_read: 500 }))
    await page.getByText('these numbers cover the first 500 by id').waitFor()
  })

  test('show an error', async () => {
    const page = await world.open()
    world.ignoreErrors(page)
    await page.route('**/api/dashboard/stats*', (route) =>
      route.fulfill({ status: 503, json: { error: 'unavailable', message: 'The store is unavailable' } }),
    )
    await page.goto(`${world.server().apiUrl}/dashboard#/stats`)
    await page.getByRole('alert').filter({ hasText: 'The store is unavailable' }).waitFor()
  })

  test('keep a chart within a narrower window, also before it is redrawn', async () => {
    const page = await world.open()
    // A chart that is never notified of its smaller container, as for a while on a slow machine.
    await page.addInitScript('ResizeObserver = class { observe() {} unobserve() {} disconnect() {} }')
    await page.reload()
    await page.getByRole('link', { name: 'Stats' }).click()
    await page.locator('.chart canvas').waitFor()
    await page.setViewportSize(SIZES.phone)
    expect(await canvasWidth(page)).toBeGreaterThan(SIZES.phone.width)
    await expectNoSidewaysScroll(page)
  })

  test('redraw a chart when its place is smaller', async () => {
    const page = await world.open({ route: '/stats' })
    await page.locator('.chart canvas').waitFor()
    await page.setViewportSize(SIZES.phone)
    await eventually(() => canvasWidth(page)).toBeLessThan(SIZES.phone.width)
  })

  test('are accessible on every size and in both themes', async () => {
    const page = await world.open({ route: '/stats' })
    await page.locator('.chart canvas').waitFor()
    await page.getByText('The numbers as a table').click()
    await expectUsableByAll(page)
  })
})
