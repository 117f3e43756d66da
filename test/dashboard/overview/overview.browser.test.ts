import { describe, expect, test } from 'vitest'
import { createPageWorld, expectAccessible, expectNoSidewaysScroll } from '../page-world.ts'
import { barShare, chatUntilDenied, eventually, left, leftNumber, namesOf, rowOf } from './overview-page.ts'

const world = createPageWorld()

describe('the overview', () => {
  test('is a tree of projects and their keys, each with what is left of its limits', async () => {
    const page = await world.open()
    await eventually(() => namesOf(page)).toContain('Demo project')
    const names = await namesOf(page)
    expect(names.slice(names.indexOf('Demo project'))).toEqual(['Demo project', 'Alice', 'Bob', 'Charlie'])
    expect(await left(page, 'Alice', 'rpm').textContent()).toBe('30 of 30')
    await rowOf(page, 'Alice').getByText('below proj-demo').waitFor({ state: 'attached' })
    await page.locator('.connection-state').getByText('Live').waitFor()
  })

  test('shows bob’s requests used up, and how they refill', async () => {
    const page = await world.open()
    await left(page, 'Bob', 'rpm').getByText('10 of 10').waitFor()
    expect(await chatUntilDenied(world, 'key-bob', 1)).toContain('(RPM)')
    await left(page, 'Bob', 'rpm').getByText('0 of 10').waitFor()
    await rowOf(page, 'Bob').getByText('on gpt-4').waitFor()
    await eventually(() => barShare(page, 'Bob', 'rpm')).toBeLessThan(0.11)
    await page.getByText('nearly used up').waitFor()
    await left(page, 'Bob', 'rpm').getByText('1 of 10').waitFor()
    await eventually(() => barShare(page, 'Bob', 'rpm')).toBeGreaterThan(0.05)
  })

  test('shows bob’s tokens used up, and how they refill all the time', async () => {
    const page = await world.open()
    await world.ask('POST', '/api/limits/key-bob/reset', {})
    await left(page, 'Bob', 'tpm').getByText('1,000 of 1,000').waitFor()
    expect(await chatUntilDenied(world, 'key-bob', 140)).toContain('(TPM)')
    await eventually(() => leftNumber(page, 'Bob', 'tpm')).toBeLessThan(150)
    await rowOf(page, 'Bob').locator('.row-limit.high').filter({ hasText: 'tpm' }).waitFor()
    const before = await leftNumber(page, 'Bob', 'tpm')
    await eventually(() => leftNumber(page, 'Bob', 'tpm')).toBeGreaterThan(before + 20)
  })

  test('goes to the page of an entity', async () => {
    const page = await world.open()
    await page.getByRole('link', { name: 'Alice', exact: true }).click()
    await page.waitForURL('**/dashboard#/entity/key-alice')
  })
})

describe('a new entity', () => {
  test('is asked for in a dialog, which says what is wrong where it is wrong', async () => {
    const page = await world.open()
    world.forgive(page)
    await page.getByRole('button', { name: 'New entity' }).click()
    const dialog = page.getByRole('dialog', { name: 'New entity' })
    await dialog.getByLabel('Id', { exact: true }).fill('key dora')
    await dialog.getByLabel('Name', { exact: true }).fill('Dora')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await dialog.getByText('Must be 1 to 128').waitFor()
    expect(await dialog.getByLabel('Id', { exact: true }).getAttribute('aria-invalid')).toBe('true')
    await dialog.getByLabel('Id', { exact: true }).fill('key-dora')
    await dialog.getByLabel('Parent', { exact: true }).fill('no-one')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await expect
      .poll(() => dialog.getByLabel('Parent', { exact: true }).getAttribute('aria-invalid'))
      .toBe('true')
    await expectAccessible(page)
    await dialog.getByLabel('Parent', { exact: true }).fill('proj-demo')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await page.waitForURL('**/dashboard#/entity/key-dora')
    await page.goBack()
    await rowOf(page, 'Dora').getByText('below proj-demo').waitFor({ state: 'attached' })
    await world.ask('DELETE', '/api/entities/key-dora')
    await rowOf(page, 'Dora').waitFor({ state: 'detached' })
  })

  test('is not for a viewer to make', async () => {
    const page = await world.open({ token: 'dev-viewer' })
    await page.getByRole('link', { name: 'Demo project' }).waitFor()
    expect(await page.getByRole('button', { name: 'New entity' }).count()).toBe(0)
  })
})

describe.each(['desktop', 'phone'] as const)('on a %s', (size) => {
  test.each(['light', 'dark'] as const)('the overview is usable by all in the %s theme', async (theme) => {
    const page = await world.open({ size, theme })
    await page.getByRole('link', { name: 'Demo project' }).waitFor()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
  })
})
