import type { Locator, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { expectAccessible, expectNoSidewaysScroll, expectUsableByAll } from './support/checks.ts'
import { createDashboardWorld } from './support/world.ts'

const world = createDashboardWorld()

/** Checks a request against policies only; returns `allowed` or the cause. */
const check = async (tenantId: string, userId = 'someone'): Promise<string> => {
  const response = (await world.call('POST', '/rate-limit/check', {
    userId,
    tenantId,
    modelId: 'gpt-4',
  })) as {
    allowed: boolean
    cause: string | null
  }
  return response.cause ?? 'allowed'
}

const dialog = (page: Page): Locator => page.getByRole('dialog')

/** The form first requests the policy; the browser logs the 404. */
const openToSet = async (): Promise<Page> => {
  const page = await world.open({ route: '/policies' })
  world.ignoreErrors(page)
  return page
}

/** Sets a limit of requests per hour, and saves it. */
const saveHourly = async (page: Page, amount: number): Promise<void> => {
  const editor = dialog(page)
  const name = editor.getByLabel('Name', { exact: true })
  // the editor reads the policy first
  await editor.getByRole('button', { name: 'Add a limit' }).waitFor()
  if ((await name.count()) === 0) await editor.getByRole('button', { name: 'Add a limit' }).click()
  await name.fill('rph')
  await editor.getByLabel('Algorithm').selectOption('sliding_window')
  await editor.getByLabel('Limit', { exact: true }).fill(String(amount))
  await editor.getByRole('button', { name: 'Review changes' }).click()
  await editor.getByRole('button', { name: 'Save' }).click()
  await editor.waitFor({ state: 'detached' })
}

describe('policies', () => {
  test('are set, changed and deleted, and apply at once', async () => {
    const page = await openToSet()
    await page.getByRole('button', { name: 'New policy' }).click()
    await dialog(page).getByLabel('Tenant').fill('page-tenant')
    await dialog(page).getByRole('button', { name: 'Continue to its limits' }).click()
    await dialog(page).getByRole('heading', { name: 'Limits of TENANT page-tenant' }).waitFor()
    await saveHourly(page, 2)
    await page.getByRole('status').filter({ hasText: 'TENANT page-tenant is set' }).waitFor()
    const row = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'page-tenant' }) })
    await row.getByText('2 requests in any 1 h').waitFor()
    expect([await check('page-tenant'), await check('page-tenant')]).toEqual(['allowed', 'allowed'])
    expect(await check('page-tenant')).toContain('TENANT exceeded: 3/2')

    await page.getByRole('button', { name: 'Edit TENANT page-tenant' }).click()
    await saveHourly(page, 3)
    await row.getByText('3 requests in any 1 h').waitFor()
    expect(await check('page-tenant')).toBe('allowed')
    expect(await check('page-tenant')).toContain('TENANT exceeded: 4/3')

    await page.getByRole('button', { name: 'Delete TENANT page-tenant' }).click()
    await dialog(page).getByText('3 requests in any 1 h').waitFor()
    await dialog(page).getByRole('button', { name: 'Delete TENANT page-tenant' }).click()
    await page.getByRole('status').filter({ hasText: 'TENANT page-tenant is deleted' }).waitFor()
    await row.waitFor({ state: 'detached' })
    expect(await check('page-tenant')).toBe('allowed')
  })

  test('show what applies at the times of a schedule', async () => {
    const schedule = [{ cron: '0 22 * * *', time_zone: 'UTC', duration_seconds: 8 * 3600, limit: 7 }]
    const limits = [{ name: 'rpd', algorithm: 'fixed_window', limit: 20, window: 'day', schedule }]
    await world.call('PUT', '/api/policies/TENANT/page-nights', { limits })
    const page = await world.open({ route: '/policies' })
    const row = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'page-nights' }) })
    await row.getByText('20 requests per day (UTC)').waitFor()
    await row.getByText('7 per day (UTC), every day 22:00–06:00 (UTC)').waitFor()
  })

  test('are full after a reset, which is confirmed first', async () => {
    const limits = [{ name: 'rph', algorithm: 'sliding_window', limit: 1, window_seconds: 3600 }]
    await world.call('PUT', '/api/policies/TENANT/page-reset', { limits })
    expect([await check('page-reset'), await check('page-reset')]).toEqual([
      'allowed',
      expect.stringContaining('TENANT exceeded: 2/1'),
    ])
    const page = await world.open({ route: '/policies' })
    const reset = page.getByRole('button', { name: 'Reset TENANT page-reset' })
    await reset.click()
    await dialog(page).getByRole('button', { name: 'Cancel' }).click()
    expect(await check('page-reset')).toContain('TENANT exceeded: 2/1')
    await reset.click()
    await dialog(page).getByRole('button', { name: 'Reset TENANT page-reset' }).click()
    await page.getByRole('status').filter({ hasText: 'TENANT page-reset is reset' }).waitFor()
    expect(await check('page-reset')).toBe('allowed')
  })

  test('of a user on a model require both', async () => {
    const page = await openToSet()
    await page.getByRole('button', { name: 'New policy' }).click()
    await dialog(page).getByLabel('Applies to').selectOption('USER_MODEL')
    await dialog(page).getByLabel('User').fill('page-user')
    await dialog(page).getByLabel('Model').fill('gpt-4')
    await dialog(page).getByRole('button', { name: 'Continue to its limits' }).click()
    await saveHourly(page, 1)
    await page.getByRole('status').filter({ hasText: 'USER_MODEL page-user:gpt-4 is set' }).waitFor()
    expect(await check('any-tenant', 'page-user')).toBe('allowed')
    expect(await check('any-tenant', 'page-user')).toContain('USER_MODEL exceeded: 2/1')
    await world.call('DELETE', '/api/policies/USER_MODEL/page-user/gpt-4')
  })

  test('of each session stop a run after 50 calls, which is looked up and refilled, and others go on', async () => {
    const page = await openToSet()
    await page.getByRole('button', { name: 'New policy' }).click()
    await dialog(page).getByLabel('Applies to').selectOption('SESSION')
    await dialog(page).getByRole('button', { name: 'Continue to its limits' }).click()
    await dialog(page).getByRole('heading', { name: 'Limits of SESSION *' }).waitFor()
    await saveHourly(page, 50)
    await page.getByRole('status').filter({ hasText: 'SESSION * is set' }).waitFor()
    await page.getByText('Every session', { exact: true }).waitFor()
    // without leases, a look-up shows exactly what was used, however slow the machine is
    const exact = {
      name: 'rph',
      algorithm: 'sliding_window',
      limit: 50,
      window_seconds: 3600,
      lease_ttl_seconds: 0,
    }
    await world.call('PUT', '/api/policies/SESSION/*', { limits: [exact] })
    const call = async (session: string, times: number) => {
      const body = { userId: 'agent', sessionId: session, tenantId: 'page-agents', modelId: 'gpt-4o-mini' }
      const allowed: unknown[] = []
      for (let sent = 0; sent < times; sent++) {
        const response = await world.call('POST', '/rate-limit/check', body)
        allowed.push((response as { allowed: boolean }).allowed)
      }
      return allowed.filter(Boolean).length
    }
    expect(await call('run-1', 52)).toBe(50)
    expect(await call('run-2', 3)).toBe(3)

    await page.getByRole('button', { name: 'Look up a session' }).click()
    await dialog(page).getByLabel('Tenant').fill('page-agents')
    await dialog(page).getByLabel('Session').fill('run-1')
    await dialog(page).getByRole('button', { name: 'Look up' }).click()
    await dialog(page).getByText('0 of 50 left').waitFor()
    await expectAccessible(page)
    await dialog(page).getByRole('button', { name: 'Refill these limits' }).click()
    await dialog(page).getByText('50 of 50 left').waitFor()
    await dialog(page).getByLabel('Session').fill('run-2')
    await dialog(page).getByRole('button', { name: 'Look up' }).click()
    await dialog(page).getByText('47 of 50 left').waitFor()
    expect(await call('run-1', 1)).toBe(1)
    await world.call('DELETE', '/api/policies/SESSION/*')
  })

  test('that exist already are shown to an administrator who creates them again', async () => {
    const page = await world.open({ route: '/policies' })
    await page.getByRole('button', { name: 'New policy' }).click()
    await dialog(page).getByLabel('Applies to').selectOption('GLOBAL')
    await dialog(page).getByRole('button', { name: 'Continue to its limits' }).click()
    await dialog(page).getByText('This policy already exists').waitFor()
    expect(await dialog(page).getByLabel('Limit', { exact: true }).inputValue()).toBe('1000000')
  })

  test('show an error at its field', async () => {
    const page = await world.open({ route: '/policies' })
    world.ignoreErrors(page)
    await page.getByRole('button', { name: 'New policy' }).click()
    const tenant = dialog(page).getByLabel('Tenant')
    await tenant.fill('not an id')
    await dialog(page).getByRole('button', { name: 'Continue to its limits' }).click()
    await dialog(page).getByText('Must be 1 to 128 of').waitFor()
    expect(await tenant.getAttribute('aria-invalid')).toBe('true')
    await tenant.fill('page-none')
    await dialog(page).getByRole('button', { name: 'Continue to its limits' }).click()
    await dialog(page).getByRole('heading', { name: 'Limits of TENANT page-none' }).waitFor()
  })

  test('are found by name', async () => {
    const page = await world.open({ route: '/policies' })
    await page.getByLabel('Search').fill('FREE_co')
    await page.getByRole('heading', { name: 'Everyone' }).waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'free_co' }).waitFor()
    await page.getByLabel('Search').fill('nothing is called that')
    await page.getByRole('button', { name: 'Show all' }).click()
    await page.getByRole('heading', { name: 'Everyone' }).waitFor()
  })

  test('show a viewer no actions', async () => {
    const page = await world.open({ route: '/policies', token: 'dev-viewer' })
    await page.getByRole('link', { name: 'free_co' }).waitFor()
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0)
    await page.route('**/api/policies?*', (route) =>
      route.fulfill({ json: { items: [], next_cursor: null } }),
    )
    await page.goto(`${world.server().apiUrl}/dashboard#/stats`)
    await page.goto(`${world.server().apiUrl}/dashboard#/policies`)
    await page.getByText('There are no policies yet').waitFor()
  })

  test('are accessible on every size and in both themes', async () => {
    const page = await world.open({ route: '/policies' })
    await page.getByRole('link', { name: 'free_co' }).waitFor()
    await expectUsableByAll(page)
    await page.getByRole('button', { name: 'New policy' }).click()
    await dialog(page).getByLabel('Applies to').selectOption('USER_MODEL')
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
  })
})
