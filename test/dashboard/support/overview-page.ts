import type { Locator, Page } from 'playwright-core'
import type { DashboardWorld } from './world.ts'

/** The row of an entity, by its name. */
export const rowOf = (page: Page, name: string): Locator =>
  page.getByRole('listitem').filter({ has: page.getByRole('link', { name, exact: true }) })

/** The amounts of a limit in a row: `9 of 10`. */
export const left = (page: Page, name: string, limit: string): Locator =>
  rowOf(page, name).locator('.row-limit').filter({ hasText: limit }).locator('.row-limit-left')

export const leftNumber = async (page: Page, name: string, limit: string): Promise<number> =>
  Number(((await left(page, name, limit).locator('strong').textContent()) ?? '').replaceAll(',', ''))

/** The drawn share of a bar, 0 to 1, also during a transition. */
export const barShare = (page: Page, name: string, limit: string): Promise<number> =>
  rowOf(page, name)
    .locator('.row-limit')
    .filter({ hasText: limit })
    .locator('.bar-fill')
    .evaluate(
      (fill) => fill.getBoundingClientRect().width / (fill.parentElement?.getBoundingClientRect().width ?? 1),
    )

/** Sends chats with a key until one is denied; returns the body of the denial. */
export const chatUntilDenied = async (
  world: DashboardWorld,
  key: string,
  maxTokens: number,
): Promise<string> => {
  for (let sent = 0; sent < 50; sent += 1) {
    const response = await fetch(`${world.server().apiUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4',
        max_tokens: maxTokens,
        messages: [{ role: 'user', content: 'Hello' }],
      }),
    })
    const body = await response.text()
    if (response.status === 429) return body
  }
  throw new Error('nothing was denied')
}

export const namesOf = (page: Page): Promise<readonly string[]> =>
  page.getByRole('list', { name: 'Entities' }).locator('.row-name').allInnerTexts()

/** Signs in a viewer on a node without streams; `entities` replaces its responses, if given. */
export const pollInstead = async (page: Page, entities?: () => object): Promise<void> => {
  await page.route('**/api/dashboard/session', async (route) => {
    const session = await route.fetch()
    await route.fulfill({ response: session, json: { ...(await session.json()), streams: false } })
  })
  if (entities)
    await page.route('**/api/dashboard/entities?*', (route) => route.fulfill({ json: entities() }))
  await page.getByLabel('Admin or viewer token').fill('dev-viewer')
  await page.getByRole('button', { name: 'Sign in' }).click()
}
