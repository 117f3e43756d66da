import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { expectAccessible, expectNoSidewaysScroll, expectUsableByAll } from './support/checks.ts'
import { createDashboardWorld } from './support/world.ts'

const world = createDashboardWorld()

/** A tenant and a tier that no other test uses. */
const TENANT = 'check-co'
const TIER = 'check-tier'
let isMade = false

const perHour = (limit: number) => ({
  limits: [{ name: 'rph', algorithm: 'sliding_window', limit, window_seconds: 3600 }],
})

beforeEach(async () => {
  if (isMade) return
  isMade = true
  await world.call('POST', '/api/entities', { entity_id: TENANT, name: 'Check Co', kind: 'tenant' })
  await world.call('PUT', '/api/models/check-model', { tier: TIER })
  await world.call('PUT', `/api/policies/TENANT/${TENANT}`, perHour(4))
  await world.call('PUT', `/api/policies/MODEL_TIER/${TIER}`, perHour(3))
  await world.call('PUT', '/api/policies/USER_MODEL/check-user/check-model', perHour(3))
})

interface Fields {
  readonly tenant?: string
  readonly user?: string
  readonly model?: string
  readonly tier?: string
  readonly key?: string
  readonly session?: string
}

const LABELS = {
  tenant: 'Tenant',
  user: 'User',
  model: 'Model',
  tier: 'Tier',
  key: 'Key',
  session: 'Session',
} as const

const fill = async (page: Page, fields: Fields) => {
  for (const [name, value] of Object.entries(fields))
    await page.getByLabel(LABELS[name as keyof Fields], { exact: true }).fill(value)
}

/** Checks once, and waits for the response. */
const check = async (page: Page) => {
  const response = page.waitForResponse('**/rate-limit/check')
  await page.getByRole('button', { name: 'Check Rate Limit' }).click()
  await response
}
const checks = async (page: Page, count: number) => {
  for (let left = count; left > 0; left--) await check(page)
}

const result = (page: Page) => page.getByRole('region', { name: 'Result' })
const saying = (page: Page, text: string | RegExp) => result(page).getByText(text).first().waitFor()
const CHECK_CO: Fields = { tenant: TENANT, user: 'check-user', model: 'check-model', tier: TIER }

describe('the demo’s scenarios', () => {
  test('A: ent-user-1 on gpt-4o is allowed, with 1/500 of the tenant as its primary usage', async () => {
    const page = await world.open({ route: '/policy-check' })
    await check(page)
    await saying(page, 'Request allowed')
    await saying(page, '1/500')
    await saying(page, '0.2% used in the last 1 h')
    expect(await result(page).locator('.bar.calm').count()).toBe(1)
    const rows = await result(page).getByRole('row').allTextContents()
    expect(rows).toEqual([
      'PolicyUsedWindow',
      'TENANT enterprise_co1/50060 min',
      'MODEL_TIER premium1/1,00060 min',
      'GLOBAL *1/1,000,00060 min',
    ])
  })

  test('B: the 11th of ent-user-2 on gpt-4o is blocked, with the cause', async () => {
    const page = await world.open({ route: '/policy-check' })
    await fill(page, { user: 'ent-user-2' })
    await checks(page, 10)
    await saying(page, '10/10')
    await saying(page, 'Request allowed')
    expect(await result(page).locator('.bar.high').count()).toBe(1)
    await check(page)
    await saying(page, 'Request blocked')
    await saying(
      page,
      'USER_MODEL exceeded: 11/10 in the last 3600 seconds (key=USER_MODEL:ent-user-2:gpt-4o)',
    )
    await saying(page, '11/10')
    expect(await result(page).getByRole('row').count()).toBe(0)
  })

  test('C: free_co is blocked on tiny-model at the 11th by its tier, and with its key at the 21st', async () => {
    const page = await world.open({ route: '/policy-check' })
    await fill(page, { tenant: 'free_co', user: 'free-user-1', model: 'tiny-model', tier: 'free' })
    await checks(page, 11)
    await saying(page, 'MODEL_TIER exceeded: 11/10 in the last 3600 seconds (key=MODEL_TIER:free)')
    await fill(page, { model: 'gpt-4o-mini', tier: 'standard', key: 'free-co-key' })
    await checks(page, 20)
    await saying(page, 'API_KEY free-co-key')
    await saying(page, '20/20')
    await check(page)
    await saying(page, 'API_KEY exceeded: 21/20 in the last 3600 seconds (key=API_KEY:free-co-key)')
  })
})

describe('a check', () => {
  test('names the policy of a session and of a user that block it', async () => {
    await world.call('PUT', '/api/policies/SESSION/page-run', perHour(1))
    const page = await world.open({ route: '/policy-check' })
    await fill(page, { tenant: 'session-co', model: 'gpt-4o-mini', tier: 'standard', session: 'page-run' })
    await check(page)
    await saying(page, 'SESSION page-run')
    await check(page)
    await saying(page, 'SESSION exceeded: 2/1 in the last 3600 seconds (key=SESSION:session-co:page-run)')
    await world.call('DELETE', '/api/policies/SESSION/page-run')
  })

  test('shows a paused policy as paused, without a filled bar', async () => {
    await world.call('POST', '/api/entities', { entity_id: 'paused-co', name: 'Paused Co', kind: 'tenant' })
    await world.call('PUT', '/api/policies/TENANT/paused-co', perHour(0))
    const page = await world.open({ route: '/policy-check' })
    await fill(page, { tenant: 'paused-co' })
    await check(page)
    await saying(page, 'paused: denies every counted request')
    await result(page).locator('.bar.paused').waitFor()
    expect(await result(page).locator('.bar-fill').isVisible()).toBe(false)
  })

  test('shows the most specific cause first', async () => {
    const page = await world.open({ route: '/policy-check' })
    await fill(page, CHECK_CO)
    await checks(page, 3)
    await saying(page, 'USER_MODEL check-user:check-model')
    await check(page)
    await saying(page, 'Request blocked')
    await saying(page, /^USER_MODEL exceeded: 4\/3 in the last 3600 seconds/)
    await saying(page, /^also violated: MODEL_TIER \(4\/3\)$/)
    await expectAccessible(page)
  })

  test('uses the tier of the model by default', async () => {
    const page = await world.open({ route: '/policy-check' })
    await fill(page, { ...CHECK_CO, user: 'someone-else', tier: '' })
    await check(page)
    await saying(page, /MODEL_TIER exceeded: 4\/3/)
  })

  test('shows an error at its field, and suggests values', async () => {
    const page = await world.open({ route: '/policy-check' })
    world.ignoreErrors(page)
    await fill(page, { tier: 'nope' })
    await check(page)
    await page.getByText(/^Must be the tier of a registered model: .*premium/).waitFor()
    expect(await page.getByLabel('Tier').getAttribute('aria-invalid')).toBe('true')
    expect(await page.getByRole('alert').count()).toBe(0)
    for (const [value, place] of [
      ['premium', 'tier'],
      ['gpt-4o', 'model'],
      ['enterprise_co', 'tenant'],
    ])
      await page
        .locator(`datalist option[value="${value}"]`)
        .first()
        .waitFor({ state: 'attached' })
        .catch(() => {
          throw new Error(`${value} is not suggested as ${place}`)
        })
  })
})

test('the longest names fit on a phone', async () => {
  const page = await world.open({ route: '/policy-check', size: 'phone' })
  const user = 'u'.repeat(128)
  await world.call('PUT', `/api/policies/USER_MODEL/${user}/gpt-4o`, perHour(9))
  await fill(page, { user })
  await check(page)
  await saying(page, `USER_MODEL ${user}:gpt-4o`)
  await expectNoSidewaysScroll(page)
})

test('a viewer sees why they cannot check, with a link to the policies', async () => {
  const page = await world.open({ route: '/policy-check', token: 'dev-viewer' })
  await page.getByText('A check counts one request').waitFor()
  expect(await page.getByRole('button', { name: 'Check Rate Limit' }).count()).toBe(0)
  await page.getByRole('link', { name: 'the policies themselves' }).click()
  await page.getByRole('heading', { level: 1, name: 'Policies' }).waitFor()
})

test('is accessible on every size and in both themes', async () => {
  const page = await world.open({ route: '/policy-check' })
  await check(page)
  await saying(page, 'Request allowed')
  await expectUsableByAll(page)
})

test('shows a window of less than a minute in seconds', async () => {
  const window = [
    { name: 'burst', meter: 'requests', algorithm: 'sliding_window', limit: 5, window_seconds: 50 },
  ]
  await world.call('PUT', '/api/policies/USER_MODEL/hasty/gpt-4o', { limits: window })
  const page = await world.open({ route: '/policy-check' })
  await fill(page, { user: 'hasty' })
  await check(page)
  await result(page).getByRole('row', { name: 'USER_MODEL hasty:gpt-4o 1/5 50 s' }).waitFor()
})
