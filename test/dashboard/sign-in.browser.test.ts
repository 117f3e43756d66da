import { describe, expect, test } from 'vitest'
import { createPageWorld } from './page-world.ts'
import { expectUsableByAll } from './usable-by-all.ts'

const world = createPageWorld()

describe('signing in', () => {
  test('takes the token out of the address, and keeps it for this tab alone', async () => {
    const page = await world.open()
    expect(page.url()).not.toContain('token')
    await page.reload()
    await page.getByRole('navigation', { name: 'Views' }).waitFor()
    const other = await world.open({ token: null })
    await other.getByRole('button', { name: 'Sign in' }).waitFor()
  })

  test('asks for a token, and says what is wrong with another one', async () => {
    const page = await world.open({ token: null })
    world.forgive(page)
    const field = page.getByLabel('Admin or viewer token')
    await field.fill('not-a-token')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page
      .getByRole('alert')
      .filter({ hasText: 'neither the admin token nor the viewer token' })
      .waitFor()
    await field.fill('key-bob')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').filter({ hasText: 'a caller’s API key' }).waitFor()
    await field.fill('dev-viewer')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('viewer', { exact: true }).waitFor()
  })

  test('keeps the token while the API cannot be reached', async () => {
    const page = await world.open({ token: null })
    world.forgive(page)
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

  test('signs out, and is out after a reload too', async () => {
    const page = await world.open()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    expect(await page.title()).toBe('Sign in · zael')
    await page.reload()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
  })

  test('is usable by all', async () => {
    const page = await world.open({ token: null })
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    await expectUsableByAll(page)
  })
})
