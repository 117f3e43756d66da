import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { expectAccessible, expectUsableByAll } from './support/checks.ts'
import { curlArguments } from './support/curl-arguments.ts'
import { createDashboardWorld, createOwnEntity, requests, tokens } from './support/world.ts'

const world = createDashboardWorld({ SIMULATED_LATENCY_MS: '15' })

/** An entity whose limits no test reaches. */
const PLENTY = 'try-plenty'
let isMade = false

beforeEach(async () => {
  for (const id of ['key-bob', 'proj-demo']) await world.call('POST', `/api/limits/${id}/reset`, {})
  if (isMade) return
  isMade = true
  await world.call('POST', '/api/entities', { entity_id: PLENTY, name: 'Plenty' })
  const limits = [
    { name: 'rpm', capacity: 100_000, refill_rate: 1000 },
    { name: 'tpm', capacity: 100_000_000, refill_rate: 100_000 },
  ]
  await world.call('PUT', `/api/limits/${PLENTY}`, { limits })
  await world.call('PUT', '/api/models/free-model', {})
})

interface Sending {
  readonly requests?: number
  readonly atOnce?: number
  readonly maxTokens?: number
}

const send = async (page: Page, { requests = 1, atOnce = 1, maxTokens = 50 }: Sending = {}) => {
  await page.getByLabel('Requests').fill(String(requests))
  await page.getByLabel('At once').fill(String(atOnce))
  await page.getByLabel('max_tokens').fill(String(maxTokens))
  await page.getByRole('button', { name: 'Send' }).click()
}

const entityField = (page: Page) => page.getByLabel('Entity', { exact: true })
const limits = (page: Page) => page.getByRole('region', { name: 'Limits that apply' })
const results = (page: Page) => page.getByRole('region', { name: 'Results' })
const denial = (page: Page) => page.getByRole('region', { name: /^Why request \d+ was denied/ })
const saying = (page: Page, text: string | RegExp) => results(page).getByText(text).first().waitFor()
/** A limit of an owner, by its text: `9 of 10`. */
const limitShows = (page: Page, text: string | RegExp) =>
  limits(page).getByRole('listitem').filter({ hasText: text }).first().waitFor()

describe('trying requests', () => {
  test('shows why one of 11 is denied where 10 are allowed, and how long to wait', async () => {
    await createOwnEntity(world, 'try-ten', [requests(10)])
    const page = await world.open({ route: '/try/try-ten' })
    world.ignoreErrors(page)
    await limitShows(page, '10 of 10')
    await send(page, { requests: 11, atOnce: 4 })
    await saying(page, '10 allowed')
    await saying(page, '1 denied')
    const why = denial(page)
    await why.getByText('on requests per').waitFor()
    expect(await why.getByRole('listitem').textContent()).toMatch(
      /rpm of try-ten\s*available 0\s*requested 1\s*capacity 10/,
    )
    await why.getByText(/May be tried again in (1 h|\d+ min)/).waitFor()
    await limitShows(page, /^rpm\s*0 of 10\D/)
    await results(page).getByText('429 denied').waitFor()
  })

  test('counts down to a retry that passes', async () => {
    // none of 30 requests is denied only if they take over two minutes
    await createOwnEntity(world, 'try-again', [{ name: 'rpm', capacity: 2, refill_rate: 0.2 }])
    const page = await world.open({ route: '/try/try-again' })
    world.ignoreErrors(page)
    await send(page, { requests: 30, atOnce: 10 })
    await denial(page).getByText('You can try again now.').waitFor()
    await send(page)
    await denial(page).waitFor({ state: 'detached' })
    await results(page).getByText('200 allowed').first().waitFor()
  })

  test('shows a denial by tpm if each request costs 200 tokens', async () => {
    await createOwnEntity(world, 'try-tokens', [tokens(1000)])
    const page = await world.open({ route: '/try/try-tokens' })
    world.ignoreErrors(page)
    await send(page, { requests: 8, atOnce: 4, maxTokens: 200 })
    await saying(page, '4 allowed')
    const violation = await denial(page).getByRole('listitem').textContent()
    expect(violation).toMatch(/tpm of try-tokens\s*available 168\s*requested 208\s*capacity 1,000/)
    await denial(page)
      .getByText(/May be tried again in/)
      .waitFor()
  })

  test('shows why a request larger than the limit can never pass', async () => {
    const page = await world.open({ route: '/try/key-bob' })
    world.ignoreErrors(page)
    await send(page, { maxTokens: 5000 })
    await denial(page).getByText('It can never pass.', { exact: true }).waitFor()
    await denial(page).getByText('It requests 5,008, but tpm of key-bob allows at most 1,000.').waitFor()
    expect(await denial(page).getByText('May be tried again').count()).toBe(0)
  })

  test('shows budgets in dollars, and paused limits', async () => {
    const daily = { algorithm: 'fixed_window', window: 'day' }
    const budget = { name: 'budget', meter: 'cost_usd_micros', ...daily, limit: 5_000_000_000 }
    await createOwnEntity(world, 'try-paused', [budget, { name: 'rpd', ...daily, limit: 0 }])
    const page = await world.open({ route: '/try/try-paused' })
    world.ignoreErrors(page)
    await limitShows(page, '$5,000 of $5,000')
    await limitShows(page, /rpd\s*paused\s*denies every counted request/)
    await send(page)
    await denial(page).getByText('rpd of try-paused is paused: its size is 0.').waitFor()
    await denial(page).getByText('Give the limit a size above 0').waitFor()
  })

  test('shows the owner of a limit that other callers have used up', async () => {
    await createOwnEntity(world, 'try-project', [requests(5)])
    const other = await createOwnEntity(world, 'try-other', [requests(9)], 'try-project')
    await createOwnEntity(world, 'try-child', [requests(9)], 'try-project')
    await other.charge({ requests: 5 }, 'gpt-4')
    const page = await world.open({ route: '/try/try-child' })
    world.ignoreErrors(page)
    await send(page)
    const violation = denial(page).getByRole('listitem').filter({ hasText: 'of try-project' })
    expect(await violation.textContent()).toMatch(
      /rpm of try-project\s*available 0\s*requested 1\s*capacity 5/,
    )
  })
})

describe('a response', () => {
  test('shows its usage, its rate-limit headers first, and its body', async () => {
    const page = await world.open({ route: '/try/key-bob' })
    await send(page)
    await saying(page, 'Usage: 8 prompt + 50 completion = 58 tokens')
    const names = await results(page).locator('dt').allTextContents()
    expect(names[0]).toBe('ratelimit')
    expect(names).toContain('x-ratelimit-remaining-tokens')
    expect(names.indexOf('x-request-id')).toBeGreaterThan(names.lastIndexOf('x-ratelimit-reset-tokens'))
    await results(page)
      .getByText(/\d+ other headers/)
      .click()
    await results(page).getByText('x-request-id').waitFor()
    expect(await results(page).locator('pre').textContent()).toContain('"object": "chat.completion"')
  })

  test('streams on request, with its usage', async () => {
    const page = await world.open({ route: '/try/key-bob' })
    await page.getByLabel('Stream the response').check()
    await send(page, { maxTokens: 5 })
    await saying(page, 'Usage: 8 prompt + 5 completion = 13 tokens')
    expect(await results(page).locator('pre').textContent()).toContain('data: [DONE]')
  })

  test('that fails shows the reason', async () => {
    const page = await world.open({ route: '/try/nobody-here' })
    world.ignoreErrors(page)
    await limits(page).getByText('There is no entity nobody-here').waitFor()
    await send(page)
    await saying(page, '404 failed')
    expect(await results(page).locator('pre').textContent()).toContain('There is no entity nobody-here')
  })
})

const ROUTES = [
  ['Chat completions', 'v1/chat/completions'],
  ['Completions', 'v1/completions'],
  ['Embeddings', 'v1/embeddings'],
  ['Responses', 'v1/responses'],
  ['Messages', 'v1/messages'],
  ['Count tokens', 'v1/messages/count_tokens'],
] as const

describe('every route', () => {
  test.each(ROUTES)('answers %s of the demo data at one click', async (name, path) => {
    const page = await world.open({ route: '/try' })
    await limitShows(page, '10 of 10')
    await page.getByLabel('Route').selectOption({ label: name })
    await page.getByText(`POST /${path}`).waitFor()
    const sent = page.waitForRequest(`**/${path}`)
    await page.getByRole('button', { name: 'Send' }).click()
    await saying(page, '200 allowed')
    await saying(page, 'Upstream: simulated')
    expect(await (await sent).headerValue('x-zael-entity')).toBe('key-bob')
    expect(await results(page).locator('.outcome-text').textContent()).not.toBe('')
    const limit = path.startsWith('v1/messages') ? 'anthropic-ratelimit-requests-remaining' : 'ratelimit'
    expect(await results(page).locator('dt').allTextContents()).toContain(limit)
  })

  test.each(['Chat completions', 'Completions', 'Responses', 'Messages'])(
    'streams %s, with the text and the usage of its events',
    async (name) => {
      const page = await world.open({ route: '/try' })
      await limitShows(page, '10 of 10')
      await page.getByLabel('Route').selectOption({ label: name })
      await page.getByLabel('Stream the response').check()
      await page.getByLabel(/^max_(output_)?tokens$/).fill('5')
      await page.getByRole('button', { name: 'Send' }).click()
      await saying(page, /\+ 5 completion = \d+ tokens/)
      await results(page).getByText('This response is simulated:', { exact: true }).waitFor()
      await saying(page, /\d+ events · first after \d+ ms/)
    },
  )

  test.each(['Embeddings', 'Count tokens'])('%s have neither a stream nor a maximum', async (name) => {
    const page = await world.open({ route: '/try' })
    await page.getByLabel('Route').selectOption({ label: name })
    await page.getByLabel('Stream the response').waitFor({ state: 'detached' })
    expect(await page.getByLabel(/max_/).count()).toBe(0)
  })
})

const UPSTREAM_MODEL = 'try-upstream-model'
let upstream: Server | undefined

/** Without an upstream, the simulated model answers again. */
afterEach(async () => {
  if (upstream === undefined) return
  upstream.closeAllConnections()
  upstream.close()
  upstream = undefined
  await world.call('DELETE', `/api/models/${UPSTREAM_MODEL}`)
  await world.call('DELETE', '/api/upstreams/try-upstream')
})

/** Registers a model whose only upstream responds by `respond`. */
const serveUpstream = async (respond: (response: ServerResponse) => void): Promise<void> => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => respond(response))
  })
  upstream = server
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port')
  const base_url = `http://127.0.0.1:${address.port}/v1`
  await world.call('PUT', '/api/upstreams/try-upstream', { kind: 'openai', base_url })
  await world.call('PUT', `/api/models/${UPSTREAM_MODEL}`, { upstreams: [{ upstream: 'try-upstream' }] })
}

/** Serves streams that begin with `Hello`; resolves to the first one, which the test continues. */
const serveStream = async () => {
  let begun: (response: ServerResponse) => void = () => {}
  const first = new Promise<ServerResponse>((resolve) => {
    begun = resolve
  })
  await serveUpstream((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(chunk({ delta: { content: 'Hello' } }))
    begun(response)
  })
  return { first }
}

const chunk = (choice: object): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`

/** Sends one request to that model. */
const sendToUpstream = async (page: Page): Promise<void> => {
  await page.getByLabel('Model').selectOption(UPSTREAM_MODEL)
  await page.getByLabel('Stream the response').check()
  await send(page)
}

const textShows = (page: Page, text: string) => results(page).getByText(text, { exact: true }).waitFor()

describe('a stream', () => {
  test('is shown while it arrives', async () => {
    const { first } = await serveStream()
    const page = await world.open({ route: `/try/${PLENTY}` })
    await sendToUpstream(page)
    await textShows(page, 'Hello')
    await saying(page, '200 arriving')
    await saying(page, 'Upstream: try-upstream')
    const response = await first
    response.write(chunk({ delta: { content: ' world' } }))
    await textShows(page, 'Hello world')
    await saying(page, '200 arriving')
    response.end(`${chunk({ delta: {}, finish_reason: 'stop' })}data: [DONE]\n\n`)
    await saying(page, '200 allowed')
    await textShows(page, 'Hello world')
  })

  test('that is stopped keeps what has arrived', async () => {
    await serveStream()
    const page = await world.open({ route: `/try/${PLENTY}` })
    await sendToUpstream(page)
    await textShows(page, 'Hello')
    await page.getByRole('button', { name: 'Stop' }).click()
    await saying(page, '200 stopped')
    await saying(page, 'stopped after 0 of 1')
    await textShows(page, 'Hello')
  })

  test('that is cut off has failed, with the reason', async () => {
    const { first } = await serveStream()
    const page = await world.open({ route: `/try/${PLENTY}` })
    await sendToUpstream(page)
    await textShows(page, 'Hello')
    ;(await first).end()
    await saying(page, '200 failed')
    await results(page)
      .getByRole('region', { name: /^Why request 1 failed/ })
      .getByText(/try-upstream/)
      .waitFor()
    await textShows(page, 'Hello')
  })
})

test('a failure of the upstream is shown with its message and its wait', async () => {
  await serveUpstream((response) => {
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '30' })
    response.end(JSON.stringify({ error: { message: 'The provider is busy', type: 'requests' } }))
  })
  const page = await world.open({ route: `/try/${PLENTY}` })
  world.ignoreErrors(page)
  await page.getByLabel('Model').selectOption(UPSTREAM_MODEL)
  await send(page)
  const failure = results(page).getByRole('region', { name: 'Why request 1 failed' })
  await failure.getByText('The provider is busy').waitFor()
  await failure.getByText(/May be tried again in \d+ s/).waitFor()
  expect(await denial(page).count()).toBe(0)
  await expectAccessible(page)
})

describe('the form', () => {
  test('suggests entities, and shows errors at their fields', async () => {
    const page = await world.open({ route: '/try' })
    world.ignoreErrors(page)
    await entityField(page).fill('bo')
    await page.locator('datalist option[value="key-bob"]').waitFor({ state: 'attached' })
    await entityField(page).fill('')
    await page.getByLabel('Message').fill('')
    await send(page, { requests: 201, atOnce: 21 })
    for (const name of ['Entity', 'Message', 'Requests', 'At once'])
      await page.getByLabel(name, { exact: true }).and(page.locator('[aria-invalid="true"]')).waitFor()
    await page.getByText('Enter the entity to send requests as.').waitFor()
    await saying(page, 'Nothing sent yet')
    await expectAccessible(page)
  })

  test('stops a run, and shows how many were sent', async () => {
    const page = await world.open({ route: `/try/${PLENTY}` })
    await page.getByLabel('Model').selectOption('free-model')
    let completed = 0
    await page.route('**/v1/chat/completions', async (route) => {
      // the others wait until they are stopped
      if (++completed <= 5) await route.continue()
    })
    await send(page, { requests: 200, atOnce: 2, maxTokens: 1 })
    await saying(page, '5 of 200 sent')
    await page.getByRole('button', { name: 'Stop' }).click()
    await saying(page, 'stopped after 5 of 200')
    expect(completed).toBe(7)
    await page.getByRole('button', { name: 'Clear' }).click()
    await saying(page, 'Nothing sent yet')
  })

  test('keeps the last 200 results, and shows the newest 20 by default', async () => {
    const page = await world.open({ route: `/try/${PLENTY}` })
    await page.getByLabel('Model').selectOption('free-model')
    await send(page, { requests: 190, atOnce: 20, maxTokens: 1 })
    await saying(page, '190 allowed')
    await send(page, { requests: 20, atOnce: 20, maxTokens: 1 })
    await saying(page, '210 allowed')
    const rows = results(page).getByRole('listitem')
    expect(await rows.count()).toBe(20)
    await results(page).getByRole('button', { name: 'Show all 200' }).click()
    expect(await rows.count()).toBe(200)
    await saying(page, 'Only the last 200 results are kept.')
  })
})

test('the curl command does the same as Send, without the secret in it', async () => {
  const page = await world.open({ route: '/try/key-bob' })
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByLabel('Message').fill(`It's "quoted" $HOME \`id\``)
  await page.getByRole('button', { name: 'Copy the curl line' }).click()
  await page.getByText('Copied').waitFor()
  const line = String(await page.evaluate('navigator.clipboard.readText()'))
  expect(line).not.toContain('dev-admin')
  const [, url = '', , token = '', , entity = '', , , , body = ''] = curlArguments(line, {
    ADMIN_TOKEN: 'dev-admin',
  })
  expect(JSON.parse(body).messages[0].content).toBe(`It's "quoted" $HOME \`id\``)
  const headers = [token, entity, 'content-type: application/json'].map((header) => header.split(': '))
  const response = await fetch(url, { method: 'POST', headers: Object.fromEntries(headers), body })
  expect(response.status).toBe(200)
  expect(response.headers.get('x-ratelimit-remaining')).toBe('9')
})

describe('a pasted key', () => {
  test('sends requests as its owner, shows their limits, and is not stored', async () => {
    const page = await world.open({ route: '/try' })
    await page.getByText('With a key').click()
    await page.getByLabel('API key').fill('key-bob')
    await send(page)
    await saying(page, '1 allowed')
    await limits(page).getByRole('link', { name: 'key-bob' }).waitFor()
    await page.getByText('$API_KEY').waitFor()
    const kept = await page.evaluate('JSON.stringify([sessionStorage, localStorage, location.href])')
    expect(kept).not.toContain('key-bob')
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByRole('link', { name: 'Try it' }).click()
    await page.getByText('With a key').click()
    expect(await page.getByLabel('API key').inputValue()).toBe('')
  })

  test('that is unknown fails, without signing out', async () => {
    const page = await world.open({ route: '/try' })
    world.ignoreErrors(page)
    await page.getByText('With a key').click()
    await page.getByLabel('API key').fill('sk-unknown')
    await send(page)
    await saying(page, '401 failed')
    await limits(page).getByText('Incorrect API key provided').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
  })

  test('stays as typed while the view is rendered again', async () => {
    const page = await world.open()
    let letModelsCome = (): void => {}
    const models = new Promise<void>((resolve) => {
      letModelsCome = resolve
    })
    await page.route('**/models*', async (route) => {
      await models
      await route.continue()
    })
    await page.getByRole('link', { name: 'Try it' }).click()
    await page.getByText('With a key').click()
    await page.getByLabel('API key').fill('key-b')
    const come = page.waitForResponse('**/models*')
    letModelsCome()
    await come
    await page.getByRole('option', { name: 'tiny-model' }).waitFor({ state: 'attached' })
    expect(await page.getByLabel('API key').inputValue()).toBe('key-b')
  })

  test('is the only caller of a viewer', async () => {
    const page = await world.open({ route: '/try/key-bob', token: 'dev-viewer' })
    await page.getByText('The viewer token can only read, so it cannot send requests as an entity.').waitFor()
    expect(await page.getByRole('main').getByRole('radio').count()).toBe(0)
    expect(await entityField(page).count()).toBe(0)
    await page.getByLabel('API key').fill('key-bob')
    await send(page)
    await saying(page, '1 allowed')
    await limits(page).getByRole('link', { name: 'key-bob' }).waitFor()
  })
})

test('is accessible on every size and in both themes', async () => {
  await createOwnEntity(world, 'try-all', [requests(2)])
  const page = await world.open({ route: '/try/try-all' })
  world.ignoreErrors(page)
  await limitShows(page, '2 of 2')
  await send(page, { requests: 3, maxTokens: 1 })
  await denial(page).waitFor()
  await results(page).getByText('200 allowed').first().click()
  await results(page).getByText('Rate limit headers').waitFor()
  await expectUsableByAll(page)
})
