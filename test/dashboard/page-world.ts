import axe, { type AxeResults, type RunOptions } from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest'
import { type ServeProcess, startServe } from '../bin/serve-process.ts'
import type {} from './browser-setup.ts'

/** A test that waits for something longer than this has failed; a busy machine takes long for anything. */
export const DEADLINE_MS = 90_000
/** The table is in the server's own process, and the browser takes all of a small machine. */
const PATIENCE_MS = '10000'

export const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } } as const

export interface Opening {
  /** What stands behind the `#`: `/policies`. */
  readonly route?: string
  /** The admin's by default; null: no one is signed in. */
  readonly token?: string | null
  readonly size?: keyof typeof SIZES
  readonly theme?: 'light' | 'dark'
  /** Where the page is, unless it is the server's own `/dashboard`. */
  readonly url?: string
}

/** A server with the demo data for all tests of a file, and the browser of all files. */
export interface PageWorld {
  readonly server: () => ServeProcess
  /** A new tab of a browser that knows nothing yet. Its errors fail the test, unless `forgive` was called with it. */
  open(opening?: Opening): Promise<Page>
  /** Errors on this tab's console are part of the test: a server that is cut off, a denied request. */
  forgive(page: Page): void
  /** The API, asked by the admin. */
  ask(method: string, path: string, body?: object): Promise<unknown>
}

export const createPageWorld = (environment: Readonly<Record<string, string>> = {}): PageWorld => {
  let server: ServeProcess | undefined
  let browser: Browser | undefined
  const contexts: BrowserContext[] = []
  const complaints = new Map<Page, string[]>()

  beforeAll(async () => {
    ;[server, browser] = await Promise.all([
      startServe({ STORE_DEADLINE_MS: PATIENCE_MS, ...environment }),
      chromium.connect(inject('browserEndpoint')),
    ])
  })
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()))
    const said = [...complaints.values()].flat()
    complaints.clear()
    expect(said).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    await server?.end('SIGKILL')
  })

  const running = (): ServeProcess => {
    if (server === undefined) throw new Error('the server has not started')
    return server
  }

  return {
    server: running,
    async open({ route = '/overview', token = 'dev-admin', size = 'desktop', theme = 'light', url } = {}) {
      const { apiUrl } = running()
      const context = await browser?.newContext({ viewport: SIZES[size], colorScheme: theme })
      if (context === undefined) throw new Error('the browser has not started')
      contexts.push(context)
      context.setDefaultTimeout(DEADLINE_MS)
      const page = await context.newPage()
      complaints.set(page, [])
      listen(page, new URL(url ?? apiUrl).origin, (said) => complaints.get(page)?.push(said))
      const address = `${url ?? `${apiUrl}/dashboard`}`
      await page.goto(`${address}${token === null ? '' : `#token=${token}`}`)
      if (token !== null) await page.getByRole('navigation').waitFor()
      if (route !== '/overview') await page.evaluate(`location.assign(${JSON.stringify(`#${route}`)})`)
      return page
    },
    forgive: (page) => complaints.delete(page),
    async ask(method, path, body) {
      const answer = await fetch(`${running().apiUrl}${path}`, {
        method,
        headers: { authorization: 'Bearer dev-admin', 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      })
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
      return answer.status === 204 ? undefined : answer.json()
    },
  }
}

/** Errors of scripts, what the page's policy blocked, and requests to anyone else. */
const listen = (page: Page, origin: string, complain: (said: string) => void): void => {
  page.on('pageerror', (error) => complain(`script: ${error.message}`))
  page.on('console', (message) => message.type() === 'error' && complain(`console: ${message.text()}`))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url)) complain(`third party: ${url}`)
  })
}

/** Fails where a rule of WCAG 2.2 AA, or of axe's best practices, is broken; names the rule and the places. */
export const expectAccessible = (page: Page): Promise<void> => expectNoViolations(page, {})

/** Fails where text is too faint: all that a theme changes. */
export const expectContrast = (page: Page): Promise<void> =>
  expectNoViolations(page, { runOnly: ['color-contrast', 'link-in-text-block'] })

const expectNoViolations = async (page: Page, options: RunOptions): Promise<void> => {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`)
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ html }) => html).join(' | ')})`,
  )
  expect(found).toEqual([])
}

/** Fails where a list box cuts the text of its choice; names the texts. */
export const expectWholeChoices = async (page: Page): Promise<void> => {
  const cut = await page.evaluate(`[...document.querySelectorAll('select')].filter((select) => {
    const copy = select.cloneNode(false)
    copy.append(...[...select.selectedOptions].map((option) => option.cloneNode(true)))
    copy.style.cssText = 'position: absolute; width: max-content; min-width: 0; max-width: none'
    select.parentElement.append(copy)
    const isCut = select.offsetWidth > 0 && copy.offsetWidth > select.offsetWidth
    copy.remove()
    return isCut
  }).map((select) => select.selectedOptions[0]?.text)`)
  expect(cut).toEqual([])
}

/** Fails where the page is wider than its window: on a phone that is what breaks first. */
export const expectNoSidewaysScroll = async (page: Page): Promise<void> => {
  const overflowPx = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  expect(overflowPx).toBe(0)
}
