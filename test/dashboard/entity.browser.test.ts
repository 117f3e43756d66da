import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { eventually, expectUsableByAll } from './support/checks.ts'
import { callWith, createDashboardWorld, createOwnEntity, requests } from './support/world.ts'

const world = createDashboardWorld()

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const section = (page: Page, name: string) =>
  page.getByRole('navigation', { name: /^Parts of/ }).getByRole('link', { name })

/** Confirms that the secret is stored, and closes the dialog that shows it. */
const storeSecret = async (page: Page): Promise<void> => {
  await page.getByLabel('I have stored the secret').check()
  await button(page, 'Done').click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

describe('an entity', () => {
  test('is created, gets a key whose secret is shown once, and its usage appears after a call', async () => {
    const page = await world.open({ route: '/entity/proj-demo/children' })
    await button(page, 'Add a child').click()
    await page.getByLabel('Id', { exact: true }).fill('key-dora')
    await page.getByLabel('Name').fill('Dora')
    await button(page, 'Create').click()
    await page.getByRole('heading', { name: 'Dora key-dora' }).waitFor()
    await page.getByText('Child of proj-demo').waitFor()

    await section(page, 'Keys').click()
    await page.getByText('No keys yet').waitFor()
    await button(page, 'Create a key').click()
    await page.getByLabel('Name').fill('laptop')
    await page.getByLabel('Expires in days').fill('90')
    await button(page, 'Create').click()
    await page.getByText('cannot be shown again').waitFor()
    const secret = await page.getByRole('dialog').getByRole('code').textContent()
    await storeSecret(page)
    const keys = page.getByRole('region', { name: 'Keys' })
    await keys.getByText(`${secret?.slice(0, 8)}...`).waitFor()
    expect(await page.content()).not.toContain(secret)

    expect(await callWith(world, secret ?? '')).toBe(200)
    await section(page, 'Usage').click()
    const usage = page.getByRole('region', { name: 'Usage', exact: true })
    await usage.getByRole('img', { name: /^Requests and denied requests by hour/ }).waitFor()
    await usage.getByText('The numbers as a table').click()
    const now = usage.getByRole('region', { name: 'Usage as a table' }).getByRole('row').nth(1)
    await now.getByRole('cell', { name: '1', exact: true }).first().waitFor()
    await usage.getByText('Last 30 days').click()
    await usage.getByRole('columnheader', { name: 'UTC day' }).waitFor()
  })

  test('shows why it cannot be deleted, and is deleted once it has no children', async () => {
    await world.call('POST', '/api/entities', { entity_id: 'above', name: 'Above' })
    await world.call('POST', '/api/entities', { entity_id: 'below', name: 'Below', parent_id: 'above' })
    const page = await world.open({ route: '/entity/above' })
    world.ignoreErrors(page)
    const remove = async (id: string) => {
      await button(page, 'Delete').click()
      await button(page, `Delete ${id}`).click()
    }
    await remove('above')
    await page.getByRole('alert').filter({ hasText: 'above has children; delete them first' }).waitFor()
    await button(page, 'Cancel').click()
    await section(page, 'Children').click()
    await page.getByRole('link', { name: 'below' }).click()
    await page.getByRole('heading', { name: 'Below below' }).waitFor()
    await remove('below')
    await page.getByRole('heading', { name: 'Above above' }).waitFor()
    await section(page, 'Children').click()
    await page.getByText('No children yet').waitFor()
  })

  test('is patched in the changed fields only, with errors at their fields', async () => {
    await createOwnEntity(world, 'changing', [requests(3)])
    await world.call('PATCH', '/api/entities/changing', { metadata: { team: 'blue' } })
    const page = await world.open({ route: '/entity/changing' })
    world.ignoreErrors(page)
    await button(page, 'Edit').click()
    await page.getByLabel('Parent').fill('changing')
    await button(page, 'Save').click()
    await page.getByText('Must not be the entity itself or one of its descendants').waitFor()
    await page.getByLabel('Parent').fill('proj-demo')
    await page.getByLabel('Name').fill('Changed')
    await page.getByLabel('Role').fill('user')
    await page.getByLabel('Models').fill('gpt-4, gpt-4o')
    await page.getByLabel('Bypass').check()
    await button(page, 'Save').click()
    await page.getByRole('heading', { name: 'Changed changing' }).waitFor()
    for (const tag of ['bypass', 'role user', 'only gpt-4, gpt-4o'])
      await page.getByRole('main').getByText(tag, { exact: true }).waitFor()
    expect(await world.call('GET', '/api/entities/changing')).toMatchObject({
      name: 'Changed',
      parent_id: 'proj-demo',
      role: 'user',
      models: ['gpt-4', 'gpt-4o'],
      bypass: true,
      disabled: false,
      metadata: { team: 'blue' },
    })

    await section(page, 'Audit').click()
    const newest = page.getByRole('region', { name: 'Audit' }).getByRole('listitem').first()
    await newest.getByText('Changed', { exact: true }).first().waitFor()
    await newest.getByText('Name of changing').waitFor()
    await newest.getByText('no', { exact: true }).waitFor()
  })

  test('has keys that are rotated and revoked, after a confirmation', async () => {
    const entity = await createOwnEntity(world, 'keyed', [requests(9)])
    const page = await world.open({ route: '/entity/keyed/keys' })
    await button(page, 'Rotate test').click()
    await page.getByLabel('The old key').selectOption('0')
    await button(page, 'Rotate').click()
    const secret = (await page.getByRole('dialog').getByRole('code').textContent()) ?? ''
    await storeSecret(page)
    await page.getByText('revoked', { exact: true }).waitFor()
    expect([await entity.call(), await callWith(world, secret)]).toEqual([401, 200])
    await button(page, 'Revoke test').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke test' }).click()
    await eventually(() => page.getByText('revoked', { exact: true }).count()).toBe(2)
    expect(await callWith(world, secret)).toBe(401)
  })

  test('shows a rotation as one change from the old key to the new one', async () => {
    await createOwnEntity(world, 'rotated', [requests(9)])
    const page = await world.open({ route: '/entity/rotated/keys' })
    await button(page, 'Rotate test').click()
    await page.getByLabel('The old key').selectOption('0')
    await button(page, 'Rotate').click()
    await storeSecret(page)
    await page.getByRole('link', { name: 'Audit' }).click()
    const newest = page.getByRole('region', { name: 'Audit' }).getByRole('listitem').first()
    await newest.getByText('Key rotated').waitFor()
    const fields = await newest.getByRole('term').allTextContents()
    expect(fields).toEqual(['name', 'masked secret', 'old key status'])
    await newest.getByText('revoked').waitFor()
  })

  test('keeps a new secret on the screen until it is confirmed as stored', async () => {
    await createOwnEntity(world, 'secretive', [requests(9)])
    const page = await world.open({ route: '/entity/secretive/keys' })
    await button(page, 'Create a key').click()
    await page.getByLabel('Name').fill('laptop')
    await button(page, 'Create').click()
    const dialog = page.getByRole('dialog', { name: 'The key laptop' })
    const secret = (await dialog.getByRole('code').textContent()) ?? ''
    // Browsers close a dialog on the second Escape without a cancel event.
    for (const key of ['Escape', 'Escape', 'Escape']) await page.keyboard.press(key)
    await page.mouse.click(2, 2)
    await dialog.getByRole('button', { name: 'Close' }).click()
    // it explains what is missing, so it can be pressed although it is marked as disabled
    await dialog.getByRole('button', { name: 'Done' }).press('Enter')
    await dialog.getByRole('alert').filter({ hasText: 'Confirm below that you have stored it' }).waitFor()
    expect(await dialog.getByRole('code').textContent()).toBe(secret)
    expect(await page.evaluate('document.activeElement.type')).toBe('checkbox')
    await expectUsableByAll(page)
    await storeSecret(page)
    expect(await page.content()).not.toContain(secret)
  })

  test('shows its changes page by page', async () => {
    await world.call('POST', '/api/entities', { entity_id: 'busy', name: 'Busy 0' })
    for (let round = 1; round <= 25; round += 1)
      await world.call('PATCH', '/api/entities/busy', { name: `Busy ${round}` })
    const page = await world.open({ route: '/entity/busy/audit' })
    await page.getByText('Busy 25').first().waitFor()
    expect(await page.getByText('Created').count()).toBe(0)
    await button(page, 'Show older').click()
    await page.getByText('Created').waitFor()
  })

  test('that does not exist shows a message with a link', async () => {
    const page = await world.open({ route: '/entity/nobody' })
    world.ignoreErrors(page)
    await page.getByText('There is no entity nobody').waitFor()
    await page.getByRole('link', { name: 'Go to the overview' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })

  test('shows a viewer no actions', async () => {
    const page = await world.open({ route: '/entity/key-alice/keys', token: 'dev-viewer' })
    await page.getByText('never expires').waitFor()
    for (const name of ['Children', 'Audit', 'Usage', 'Keys']) {
      await section(page, name).click()
      await page.getByRole('heading', { name, level: 2 }).waitFor()
      expect(await page.getByRole('main').getByRole('button').count()).toBe(0)
    }
  })
})
