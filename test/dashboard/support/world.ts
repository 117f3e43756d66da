import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest'
import { type ServeProcess, startServe } from '../../bin/serve-process.ts'

/** A test that waits for something longer than this has failed; a busy machine takes long for anything. */
export const DEADLINE_MS = 90_000

/** The table is in the server's own process, and the browser takes all of a small machine. */
const STORE_DEADLINE_MS = '10000'

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
export interface DashboardWorld {
  readonly server: () => ServeProcess
  /** A new tab of a browser that knows nothing yet. Its errors fail the test, unless `forgive` was called with it. */
  open(opening?: Opening): Promise<Page>
  /** Errors on this tab's console are part of the test: a server that is cut off, a denied request. */
  ignoreErrors(page: Page): void
  /** The API, asked by the admin. */
  call(method: string, path: string, body?: object): Promise<unknown>
}

export const createDashboardWorld = (environment: Readonly<Record<string, string>> = {}): DashboardWorld => {
  let server: ServeProcess | undefined
  let browser: Browser | undefined
  const contexts: BrowserContext[] = []
  const errors = new Map<Page, string[]>()

  beforeAll(async () => {
    ;[server, browser] = await Promise.all([
      startServe({ STORE_DEADLINE_MS, ...environment }),
      chromium.connect(inject('browserEndpoint')),
    ])
  })
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()))
    const found = [...errors.values()].flat()
    errors.clear()
    expect(found).toEqual([])
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
      errors.set(page, [])
      listen(page, new URL(url ?? apiUrl).origin, (error) => errors.get(page)?.push(error))
      const address = `${url ?? `${apiUrl}/dashboard`}`
      await page.goto(`${address}${token === null ? '' : `#token=${token}`}`)
      if (token !== null) await page.getByRole('navigation').waitFor()
      if (route !== '/overview') await page.evaluate(`location.assign(${JSON.stringify(`#${route}`)})`)
      return page
    },
    ignoreErrors: (page) => errors.delete(page),
    async call(method, path, body) {
      const response = await fetch(`${running().apiUrl}${path}`, {
        method,
        headers: { authorization: 'Bearer dev-admin', 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return response.status === 204 ? undefined : response.json()
    },
  }
}

/** Errors of scripts, what the page's policy blocked, and requests to anyone else. */
const listen = (page: Page, origin: string, onError: (text: string) => void): void => {
  page.on('pageerror', (error) => onError(`script: ${error.message}`))
  page.on('console', (message) => message.type() === 'error' && onError(`console: ${message.text()}`))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url)) onError(`third party: ${url}`)
  })
}

/** An entity of one test, and a key that calls as it. */
export interface OwnEntity {
  readonly id: string
  /** Of its key. */
  readonly secret: string
  /** A chat of one request and a few tokens; says the status. */
  call(): Promise<number>
  /** Charges a cost without a chat, on `_default_` where no resource is named. Throws where it is denied. */
  charge(cost: object, resource?: string): Promise<void>
  /** Reserves one token on `_default_`, and settles at `tokens`. */
  overdraw(tokens: number): Promise<void>
}

const RARELY = 1 / 3600

/** A limit of so many requests that does not fill up while a test runs. */
export const requests = (capacity: number) => ({ name: 'rpm', capacity, refill_rate: RARELY })

/** The same of tokens. */
export const tokens = (capacity: number) => ({ name: 'tpm', capacity, refill_rate: RARELY })

/** Makes an entity whose own limits on every resource are `limits`. */
export const createOwnEntity = async (
  world: DashboardWorld,
  id: string,
  limits: readonly object[],
  parentId?: string,
): Promise<OwnEntity> => {
  const secret = `secret-of-${id}-0123456789`
  const parent = parentId === undefined ? {} : { parent_id: parentId }
  await world.call('POST', '/api/entities', { entity_id: id, name: `Name of ${id}`, ...parent })
  await world.call('PUT', `/api/limits/${id}`, { limits })
  await world.call('POST', `/api/entities/${id}/keys`, { name: 'test', secret })
  return {
    id,
    secret,
    call: () => callWith(world, secret),
    async charge(cost, resource = '_default_') {
      const { status } = await post(world, '/v1/limits/check', secret, { resource, cost })
      if (status !== 200) throw new Error(`the charge failed with status ${status}`)
    },
    overdraw: (tokens) => overdraw(world, secret, tokens),
  }
}

const overdraw = async (world: DashboardWorld, secret: string, tokens: number): Promise<void> => {
  const reserve = { cost: { tokens: 1 }, reserve: true }
  const reserved: unknown = await (await post(world, '/v1/limits/check', secret, reserve)).json()
  const settlement = { ...reservationOf(reserved), cost: { tokens } }
  const { status } = await post(world, '/v1/limits/settle', secret, settlement)
  if (status !== 200) throw new Error(`the settlement failed with status ${status}`)
}

const reservationOf = (body: unknown): { readonly reservation_id: unknown } => {
  if (typeof body === 'object' && body !== null && 'reservation_id' in body)
    return { reservation_id: body.reservation_id }
  throw new Error(`nothing was reserved: ${JSON.stringify(body)}`)
}

const post = (world: DashboardWorld, path: string, secret: string, body: object): Promise<Response> =>
  fetch(`${world.server().apiUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** A chat with a key; says the status. */
export const callWith = async (world: DashboardWorld, secret: string): Promise<number> => {
  const response = await post(world, '/v1/chat/completions', secret, {
    model: 'gpt-4',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'Hello' }],
  })
  await response.text()
  return response.status
}
