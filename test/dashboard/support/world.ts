import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest'
import { type ServeProcess, startServe } from '../../bin/serve-process.ts'

/** The deadline of every wait; generous, because the machine may be busy. */
export const DEADLINE_MS = 90_000

/** Generous: the table is in the server's process, and the browser may use all of a small machine. */
const STORE_DEADLINE_MS = '10000'

export const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } } as const

export interface Opening {
  /** The fragment of the address: `/policies`. */
  readonly route?: string
  /** By default that of the administrator; null to stay signed out. */
  readonly token?: string | null
  readonly size?: keyof typeof SIZES
  readonly theme?: 'light' | 'dark'
  /** The URL of the dashboard, by default `/dashboard` of the server. */
  readonly url?: string
}

/** A server with the demo data per test file, and the browser of all files. */
export interface DashboardWorld {
  readonly server: () => ServeProcess
  /** Opens a tab in a new context. Its errors fail the test, except after `ignoreErrors`. */
  open(opening?: Opening): Promise<Page>
  /** Errors on the console of this tab are part of the test: a lost connection, a denied request. */
  ignoreErrors(page: Page): void
  /** Calls the API as the administrator; throws on an error response. */
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

/** Reports errors of scripts, violations of the content security policy, and requests to other hosts. */
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
  /** Sends a chat of a few tokens; returns the status. */
  call(): Promise<number>
  /** Charges a cost without a chat, by default on `_default_`. Throws if it is denied. */
  charge(cost: object, resource?: string): Promise<void>
  /** Reserves one token on `_default_`, and settles at `tokens`. */
  overdraw(tokens: number): Promise<void>
}

const RARELY = 1 / 3600

/** A limit of requests that practically does not refill during a test. */
export const requests = (capacity: number) => ({ name: 'rpm', capacity, refill_rate: RARELY })

/** The same for tokens. */
export const tokens = (capacity: number) => ({ name: 'tpm', capacity, refill_rate: RARELY })

/** Creates an entity with `limits` on every resource, and a key. */
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

/** Sends a chat with a key; returns the status. */
export const callWith = async (world: DashboardWorld, secret: string): Promise<number> => {
  const response = await post(world, '/v1/chat/completions', secret, {
    model: 'gpt-4',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'Hello' }],
  })
  await response.text()
  return response.status
}
