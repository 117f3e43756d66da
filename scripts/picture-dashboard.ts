import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { startServe } from '../test/bin/serve-process.ts'
import { launchChromium } from '../test/dashboard/support/chromium.ts'

const IMAGES = fileURLToPath(new URL('../docs/images', import.meta.url))
const THEMES = ['light', 'dark'] as const

/** Enough chats for bars of every colour, and a denial. */
const CALLERS = { 'key-bob': 11, 'key-alice': 21, 'key-charlie': 9 } as const

const chatAs = (apiUrl: string, key: string): Promise<Response> =>
  fetch(`${apiUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4', max_tokens: 60, messages: [{ role: 'user', content: 'Hello' }] }),
  })

const chatALot = async (apiUrl: string): Promise<void> => {
  for (const [key, times] of Object.entries(CALLERS)) {
    await Promise.all(Array.from({ length: times }, () => chatAs(apiUrl, key)))
  }
}

/** A view and its picture. */
interface View {
  readonly route: string
  /** Of the window, by default 760. */
  readonly height?: number
  /** The actions before its picture is taken. */
  prepare(page: Page): Promise<unknown>
}

const VIEWS: Readonly<Record<string, View>> = {
  overview: {
    route: '/overview',
    async prepare(page) {
      await page.getByLabel('Order').selectOption({ label: 'Least left first' })
      await page.getByText('Live').first().waitFor()
    },
  },
  'try-it': {
    route: '/try/key-bob',
    // down to the results
    height: 1080,
    async prepare(page) {
      await page.getByLabel('Requests').fill('12')
      await page.getByLabel('At once').fill('3')
      await page.getByRole('button', { name: 'Send' }).click()
      await page
        .getByText(/was denied/)
        .first()
        .waitFor()
      // the run has ended
      await page.getByRole('button', { name: 'Send' }).and(page.locator('[aria-disabled="false"]')).waitFor()
    },
  },
  entity: {
    route: '/entity/key-bob',
    prepare: (page) =>
      page
        .getByText(/ of 10 left/)
        .first()
        .waitFor(),
  },
}

const picture = async (browser: Browser, apiUrl: string, view: string, theme: (typeof THEMES)[number]) => {
  const { route, height = 760, prepare } = VIEWS[view] ?? {}
  if (route === undefined || prepare === undefined) return
  const context = await browser.newContext({ viewport: { width: 1180, height }, colorScheme: theme })
  const page = await context.newPage()
  await page.goto(`${apiUrl}/dashboard#token=dev-admin`)
  await page.getByRole('navigation', { name: 'Views' }).waitFor()
  await page.evaluate(`location.assign('#${route}')`)
  await prepare(page)
  const path = join(IMAGES, `dashboard-${view}-${theme}.png`)
  await page.screenshot({ path, animations: 'disabled' })
  console.log(path)
  await context.close()
}

const HELP = `npm run pictures

Takes the pictures of the dashboard in docs/images: the demo, in both themes. Requires Chromium (CHROMIUM_PATH).`

await runCommandLine({ command: 'npm run pictures', help: HELP, options: {} }, async () => {
  await mkdir(IMAGES, { recursive: true })
  const server = await startServe({}, [], { byNpm: true })
  const browser = await launchChromium()
  try {
    for (const theme of THEMES) {
      for (const view of Object.keys(VIEWS)) {
        await chatALot(server.apiUrl)
        await picture(browser, server.apiUrl, view, theme)
      }
    }
  } finally {
    await browser.close()
    await server.end('SIGTERM')
  }
})
