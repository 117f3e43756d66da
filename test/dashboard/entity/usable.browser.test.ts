import { describe, test } from 'vitest'
import { createPageWorld } from '../page-world.ts'
import { expectUsableByAll } from '../usable-by-all.ts'
import { callWith } from './own-entity.ts'

const world = createPageWorld()

const SECTIONS = [
  ['limits', 'of 10 left'],
  ['keys', 'never expires'],
  ['usage', 'The numbers as a table'],
  ['audit', 'Limits set'],
] as const

describe('an entity is usable by all', () => {
  test.each(SECTIONS)('with its %s', async (section, text) => {
    if (section === 'usage') await callWith(world, 'key-bob')
    const page = await world.open({ route: `/entity/key-bob/${section}` })
    await page.getByText(text).first().waitFor()
    if (section === 'usage') await page.getByText(text).click()
    await expectUsableByAll(page)
  })

  test('while it is edited', async () => {
    const page = await world.open({ route: '/entity/proj-demo/children' })
    await page.getByRole('link', { name: 'key-alice' }).waitFor()
    await page.getByRole('button', { name: 'Edit' }).click()
    await expectUsableByAll(page)
  })

  test('while its limits are edited and looked at again', async () => {
    const page = await world.open({ route: '/entity/key-bob' })
    await page.getByLabel('Resource', { exact: true }).selectOption('_default_')
    await page.getByRole('button', { name: 'Edit limits' }).click()
    await page.getByText('Advanced').first().click()
    await expectUsableByAll(page)
    await page.getByLabel('Capacity').first().fill('77')
    await page.getByRole('button', { name: 'Remove tpm' }).click()
    await page.getByRole('button', { name: 'Review changes' }).click()
    await expectUsableByAll(page)
  })
})
