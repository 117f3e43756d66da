import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Stage, startStage } from './below-stage.ts'
import { createPageWorld, expectNoSidewaysScroll } from './page-world.ts'

const world = createPageWorld()
let stage: Stage

beforeAll(async () => {
  stage = await startStage(world.server().apiUrl)
})
afterAll(() => stage.close())

/** Both ways to be found; what is asked of anyone else fails the test. */
const bases = ['itself', 'a stage'] as const
const baseOf = (base: (typeof bases)[number]): string =>
  base === 'itself' ? world.server().apiUrl : stage.url

describe.each(bases)('below %s', (base) => {
  test('the page signs in, and finds the API', async () => {
    const page = await world.open({ url: `${baseOf(base)}/dashboard` })
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(new URL(page.url()).pathname).toBe(new URL(`${baseOf(base)}/dashboard`).pathname)
    await page.reload()
    await page.getByRole('navigation', { name: 'Views' }).waitFor()
  })

  test('the API is there to read and to try, without any other host', async () => {
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

  test('the API is there to read, on a phone too', async () => {
    const page = await world.open({ url: `${baseOf(base)}/redoc`, token: null, size: 'phone' })
    await page.getByText('/v1/chat/completions').first().waitFor({ state: 'attached' })
    await expectNoSidewaysScroll(page)
  })
})
