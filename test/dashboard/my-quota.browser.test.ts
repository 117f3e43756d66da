import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { expectNoSidewaysScroll, expectUsableByAll } from './support/checks.ts'
import { createDashboardWorld, createOwnEntity, requests, tokens } from './support/world.ts'

const world = createDashboardWorld()

/** The 403 by which an API key is told apart is logged by the browser. */
const signIn = async (secret: string): Promise<Page> => {
  const page = await world.open({ token: null })
  world.ignoreErrors(page)
  await page.getByLabel('Admin or viewer token, or an API key').fill(secret)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'My quota' }).waitFor()
  return page
}

describe('a key holder', () => {
  test('sees what is left, and what was used, and nothing of others', async () => {
    const entity = await createOwnEntity(world, 'quota-holder', [requests(10), tokens(1000)])
    for (const _ of [1, 2, 3]) await entity.call()
    const page = await signIn(entity.secret)
    const limits = page.getByRole('region', { name: 'Limits' })
    await limits.getByLabel('Model').selectOption('gpt-4')
    await limits.getByText('7 of 10 left').waitFor()
    await limits.getByRole('heading', { name: 'Policy GLOBAL *' }).waitFor()
    await entity.call()
    await limits.getByText('6 of 10 left').waitFor()
    await page.getByRole('region', { name: 'Usage' }).getByText('The numbers as a table').waitFor()
    expect(await page.getByRole('navigation').count()).toBe(0)
    expect(await page.title()).toBe('My quota · zael')
  })

  test('stays signed in for this tab only, and never sends the key in an address', async () => {
    const entity = await createOwnEntity(world, 'quota-tab', [requests(10)])
    const page = await signIn(entity.secret)
    const addresses: string[] = []
    page.on('request', (request) => addresses.push(request.url()))
    await page.reload()
    await page.getByText('quota-tab', { exact: true }).waitFor()
    expect(addresses.filter((address) => address.includes(entity.secret))).toEqual([])
    expect(page.url()).not.toContain(entity.secret)
    expect(await page.evaluate('Object.values(localStorage).join()')).not.toContain(entity.secret)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
  })

  test('sees a budget in dollars', async () => {
    const dollars = {
      name: 'usd',
      meter: 'cost_usd_micros',
      algorithm: 'fixed_window',
      limit: 2e6,
      window: 'day',
    }
    const entity = await createOwnEntity(world, 'quota-budget', [requests(50), dollars])
    await entity.charge({ cost_usd_micros: 500_000 })
    const page = await signIn(entity.secret)
    const limits = page.getByRole('region', { name: 'Limits' })
    await limits.getByLabel('Model').selectOption('_default_')
    await limits.getByText('$1.50 of $2.00 left').waitFor()
  })

  test('can use the page on every size and in both themes', async () => {
    const entity = await createOwnEntity(world, 'quota-holder-with-a-rather-long-name', [
      requests(10),
      tokens(1000),
    ])
    await entity.call()
    const page = await signIn(entity.secret)
    await page.getByRole('region', { name: 'Limits' }).getByText('of 10 left').waitFor()
    await expectUsableByAll(page)
    await page.setViewportSize({ width: 390, height: 844 })
    await expectNoSidewaysScroll(page)
  })
})
