import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { expectAccessible, expectNoSidewaysScroll, expectUsableByAll } from './support/checks.ts'
import { createDashboardWorld } from './support/world.ts'

const world = createDashboardWorld()

const dialog = (page: Page) => page.getByRole('dialog')
const rowOf = (page: Page, title: string) =>
  page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: title, exact: true }) })

const save = async (page: Page): Promise<void> => {
  await dialog(page).getByRole('button', { name: 'Review changes' }).click()
  await dialog(page).getByRole('button', { name: 'Save' }).click()
  await dialog(page).waitFor({ state: 'detached' })
}

/** The limit on requests of an entity, and its source. */
const rpmOf = async (id: string): Promise<readonly unknown[]> => {
  const { limits } = (await world.call('GET', `/api/limits/${id}`)) as {
    limits: { name: string; capacity: number; source: string }[]
  }
  return limits.flatMap(({ name, capacity, source }) => (name === 'rpm' ? [capacity, source] : []))
}

describe('defaults', () => {
  test('of everyone come from the environment until they are set, and apply', async () => {
    await world.call('POST', '/api/entities', { entity_id: 'page-guest', name: 'Guest' })
    expect(await rpmOf('page-guest')).toEqual([60, 'environment'])
    const page = await world.open({ route: '/defaults' })
    const row = rowOf(page, 'Everyone')
    await row.getByText('environment default').first().waitFor()
    await page.getByRole('button', { name: 'Edit defaults of Everyone' }).click()
    await dialog(page).getByRole('button', { name: 'Add a limit' }).click()
    await dialog(page).getByLabel('Name', { exact: true }).fill('rpm')
    await dialog(page).getByLabel('Capacity').fill('7')
    await dialog(page).getByLabel('Refill', { exact: true }).fill('7')
    await dialog(page).getByRole('button', { name: 'Review changes' }).click()
    await dialog(page).getByText('instead of 60, refilled 60 per minute, environment default').waitFor()
    await dialog(page).getByRole('button', { name: 'Save' }).click()
    await row.getByText('7 requests, refilled 7 per minute').waitFor()
    expect(await rpmOf('page-guest')).toEqual([7, 'system:_default_'])

    await page.getByRole('button', { name: 'Edit defaults of Everyone' }).click()
    await dialog(page).getByRole('button', { name: 'Remove rpm' }).click()
    await dialog(page).getByRole('button', { name: 'Review changes' }).click()
    await dialog(page).getByText('Inherited again: 60, refilled 60 per minute').waitFor()
    await dialog(page).getByRole('button', { name: 'Save' }).click()
    await row.getByText('60 requests, refilled 60 per minute').waitFor()
    expect(await rpmOf('page-guest')).toEqual([60, 'environment'])
  })

  test('of a role are set for one resource, and apply to its entities there', async () => {
    await world.call('POST', '/api/entities', { entity_id: 'page-intern', name: 'Intern', role: 'intern' })
    const page = await world.open({ route: '/defaults' })
    await page.getByLabel('Resource').selectOption('gpt-4')
    const row = rowOf(page, 'intern')
    await row.getByText('environment default').first().waitFor()
    await page.getByRole('button', { name: 'Edit defaults of intern' }).click()
    await dialog(page).getByRole('button', { name: 'Start from the inherited limits' }).click()
    await dialog(page).getByLabel('Capacity').first().fill('3')
    await save(page)
    await row.getByText('3 requests, refilled 60 per minute').waitFor()
    const { limits } = (await world.call('GET', '/api/limits/page-intern?resource=gpt-4')) as {
      limits: { capacity: number; source: string }[]
    }
    expect(limits[0]).toMatchObject({ capacity: 3, source: 'role:intern:gpt-4' })
    expect(await rpmOf('page-intern')).toEqual([60, 'environment'])
  })

  test('of a role without entities are shown when it is added', async () => {
    const page = await world.open({ route: '/defaults' })
    await page.getByLabel('Another role').fill('auditor')
    await page.getByRole('button', { name: 'Show' }).click()
    await rowOf(page, 'auditor').getByText('environment default').first().waitFor()
  })
})

describe('models', () => {
  test('are registered, priced and removed', async () => {
    const page = await world.open({ route: '/defaults' })
    await page.getByRole('button', { name: 'Register a model' }).click()
    await dialog(page).getByLabel('Model', { exact: true }).fill('page/model')
    await dialog(page).getByLabel('Tier').fill('free')
    await dialog(page).getByRole('button', { name: 'Register' }).click()
    const row = page.getByRole('listitem').filter({ hasText: 'page/model' })
    await row.getByText('no prices').waitFor()
    await page.getByRole('button', { name: 'Edit page/model' }).click()
    await dialog(page).getByLabel('Input', { exact: true }).fill('2.5')
    await dialog(page).getByLabel('Output', { exact: true }).fill('10')
    await dialog(page).getByText('Long contexts, service tiers').click()
    await dialog(page).getByLabel('Priority, input', { exact: true }).fill('5')
    await dialog(page).getByLabel('Priority, output', { exact: true }).fill('20')
    await dialog(page).getByText('Weights of tokens').first().click()
    await dialog(page).getByLabel('Weight of output').fill('5')
    await dialog(page).getByRole('button', { name: 'Save' }).click()
    await row.getByText('$2.50 in, $10.00 out; priority').waitFor()
    await row.getByText('tokens: output × 5').waitFor()
    const { items } = (await world.call('GET', '/api/models')) as { items: { model_id: string }[] }
    expect(items.find(({ model_id }) => model_id === 'page/model')).toMatchObject({
      tier: 'free',
      prices: {
        ...{ input_per_million: 2.5, output_per_million: 10 },
        service_tiers: { priority: { input_per_million: 5, output_per_million: 20 } },
      },
      token_weights: { output: 5 },
    })
    await page.getByRole('button', { name: 'Remove page/model' }).click()
    await dialog(page).getByRole('button', { name: 'Remove page/model' }).click()
    await row.waitFor({ state: 'detached' })
  })

  test('show an error at its field', async () => {
    const page = await world.open({ route: '/defaults' })
    world.ignoreErrors(page)
    await page.getByRole('button', { name: 'Register a model' }).click()
    await dialog(page).getByLabel('Model', { exact: true }).fill('page-model')
    await dialog(page).getByLabel('Tier').fill('not an id')
    await dialog(page).getByRole('button', { name: 'Register' }).click()
    await dialog(page).getByText('Must be 1 to 128 of').waitFor()
    expect(await dialog(page).getByLabel('Tier').getAttribute('aria-invalid')).toBe('true')
  })

  test('explain what it means to have none', async () => {
    const page = await world.open()
    await page.route('**/api/models', (route) => route.fulfill({ json: { items: [], next_cursor: null } }))
    await page.goto(`${world.server().apiUrl}/dashboard#/defaults`)
    await page.getByText('No models yet').waitFor()
    await page.getByText('Select “Register a model”').waitFor()
  })
})

describe('upstreams', () => {
  const rowWith = (page: Page, text: string) => page.getByRole('listitem').filter({ hasText: text })

  test('are added, named by a model, and removed once no model names them', async () => {
    const page = await world.open({ route: '/defaults' })
    world.ignoreErrors(page)
    await page.getByText('No upstreams yet').waitFor()
    await page.getByRole('button', { name: 'Add an upstream' }).click()
    await dialog(page).getByLabel('Name').fill('page-vllm')
    await dialog(page).getByLabel('Base URL').fill('http://127.0.0.1:9/v1')
    await dialog(page).getByLabel('Secret').fill('sk-a-key-by-mistake')
    await dialog(page).getByRole('button', { name: 'Add', exact: true }).click()
    await dialog(page).getByText('Must be a reference, never a key').waitFor()
    await dialog(page).getByLabel('Secret').fill('')
    await dialog(page).getByLabel('Silence').fill('30')
    await dialog(page).getByLabel('Adaptive floor').fill('0.2')
    await dialog(page).getByRole('button', { name: 'Add', exact: true }).click()
    await rowWith(page, 'page-vllm').getByText('no failures lately').waitFor()
    await rowWith(page, 'page-vllm').getByText('http://127.0.0.1:9/v1').waitFor()
    await rowWith(page, 'page-vllm').getByText('adaptive, at least 20 % of the limits').waitFor()

    await page.getByRole('button', { name: 'Register a model' }).click()
    await dialog(page).getByLabel('Model', { exact: true }).fill('page-llama')
    await dialog(page).getByRole('button', { name: 'Add an upstream' }).click()
    await dialog(page).getByLabel('Upstream 1', { exact: true }).fill('nobody')
    await dialog(page).getByLabel('Model there').fill('meta/llama')
    await dialog(page).getByLabel('Bound of output').fill('512')
    await dialog(page).getByRole('button', { name: 'Register' }).click()
    await dialog(page).getByText('Must be the name of an upstream: there is no nobody').waitFor()
    await dialog(page).getByLabel('Upstream 1', { exact: true }).fill('page-vllm')
    await dialog(page).getByRole('button', { name: 'Register' }).click()
    await page.getByRole('button', { name: 'Edit page-llama' }).waitFor()
    expect(await world.call('GET', '/api/models/page-llama')).toMatchObject({
      upstreams: [{ upstream: 'page-vllm', model: 'meta/llama' }],
      max_output_tokens: 512,
    })

    await page.getByRole('button', { name: 'Remove page-vllm' }).click()
    await dialog(page).getByRole('button', { name: 'Remove page-vllm' }).click()
    await dialog(page).getByText('is used by page-llama').waitFor()
    await dialog(page).getByRole('button', { name: 'Cancel' }).click()
    await world.call('DELETE', '/api/models/page-llama')
    await page.getByRole('button', { name: 'Remove page-vllm' }).click()
    await dialog(page).getByRole('button', { name: 'Remove page-vllm' }).click()
    await page.getByText('page-vllm is removed.').waitFor()
  })

  test('are edited, and their kind determines the fields', async () => {
    await world.call('PUT', '/api/upstreams/page-bedrock', { kind: 'bedrock', region: 'eu-central-1' })
    const page = await world.open({ route: '/defaults' })
    await page.getByRole('button', { name: 'Edit page-bedrock' }).click()
    expect(await dialog(page).getByLabel('Secret').count()).toBe(0)
    await dialog(page).getByLabel('Region').fill('us-east-1')
    await dialog(page).getByRole('button', { name: 'Save' }).click()
    await rowWith(page, 'page-bedrock').getByText('us-east-1').waitFor()
    await page.getByRole('button', { name: 'Edit page-bedrock' }).click()
    await dialog(page).getByLabel('Kind').selectOption('simulated')
    expect(await dialog(page).getByLabel('Region').count()).toBe(0)
    await dialog(page).getByRole('button', { name: 'Save' }).click()
    await rowWith(page, 'page-bedrock').getByText('answers by itself').waitFor()
    await world.call('DELETE', '/api/upstreams/page-bedrock')
  })

  test('show a model that rests there, with the time left', async () => {
    const page = await world.open()
    const rests_until = Math.ceil(Date.now() / 1000) + 600
    const failure = { cause: '503', at: rests_until - 30 }
    const upstream = await world.call('PUT', '/api/upstreams/page-resting', { kind: 'simulated' })
    const resting = { model: 'page-model', resting: true, rests_until, last_failure: failure }
    await page.route('**/api/upstreams', (route) =>
      route.fulfill({
        json: { items: [{ ...Object(upstream), models: [resting] }], next_cursor: null },
      }),
    )
    await page.getByRole('link', { name: 'Defaults' }).click()
    await rowWith(page, 'page-resting')
      .getByText(/page-model after 503, (10 min|9 min( \d+ s)?) left/)
      .waitFor()
    await rowWith(page, 'page-resting').getByText('resting', { exact: true }).waitFor()
    await expectUsableByAll(page)
    await world.call('DELETE', '/api/upstreams/page-resting')
  })

  test('are accessible with all their fields', async () => {
    const page = await world.open({ route: '/defaults', size: 'phone' })
    await page.getByRole('button', { name: 'Add an upstream' }).click()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await dialog(page).getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Register a model' }).click()
    await dialog(page).getByRole('button', { name: 'Add an upstream' }).click()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
  })
})

describe('the view', () => {
  test('shows a viewer no actions', async () => {
    const page = await world.open({ route: '/defaults', token: 'dev-viewer' })
    await page.getByText('tiny-model').last().waitFor()
    await rowOf(page, 'Everyone').getByText('requests').waitFor()
    const names = await page.getByRole('main').getByRole('button').allInnerTexts()
    expect(names).toEqual(['Show'])
  })

  test('is accessible on every size and in both themes', async () => {
    const page = await world.open({ route: '/defaults' })
    await rowOf(page, 'admin').getByText('requests').waitFor()
    await page.getByRole('listitem').filter({ hasText: 'tiny-model' }).waitFor()
    await expectUsableByAll(page)
    await page.getByRole('button', { name: 'Register a model' }).click()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
  })
})
