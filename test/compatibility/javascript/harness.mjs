import assert from 'node:assert/strict'

/**
 * What the runner passes to a client: the URLs of zael, its keys and models, and the name of the slow stream. See
 * scripts/compatibility/world.ts.
 */
const world = JSON.parse(process.env.COMPATIBILITY ?? '')

/** A red pixel. */
export const IMAGE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=='

export const WEATHER_SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
}

export const CITY_SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}

const report = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

const reasonOf = (error) => {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.split('\n').slice(0, 6).join(' ').slice(0, 600)
}

const check = async (feature, target, run) => {
  try {
    await run()
    report({ feature, target, passed: true })
  } catch (error) {
    report({ feature, target, passed: false, reason: reasonOf(error) })
  }
}

/** A text that a model answered; an upstream's is known word for word. */
export const expectText = ({ target }, text, expected = 'Hello from the upstream.') => {
  assert.equal(typeof text, 'string')
  assert.notEqual(text, '')
  if (target === 'upstream') assert.equal(text, expected)
}

export const expectImageText = (context, text) => expectText(context, text, 'Hello, I see an image.')

/** Arguments of a call of the tool of `CITY_SCHEMA`, parsed. */
export const expectCity = ({ target }, value) => {
  assert.deepEqual(Object.keys(value), ['city'])
  assert.equal(typeof value.city, 'string')
  if (target === 'upstream') assert.equal(value.city, 'Paris')
}

/** An object of `WEATHER_SCHEMA`, parsed. */
export const expectWeather = ({ target }, value) => {
  assert.deepEqual(Object.keys(value).sort(), ['city', 'degrees'])
  assert.ok(Number.isInteger(value.degrees))
  if (target === 'upstream') assert.deepEqual(value, { city: 'Paris', degrees: 21 })
}

export const expectTokens = (...counts) => {
  for (const count of counts) assert.ok(count > 0, `usage of ${count}`)
}

const contextOf = (target, rest = {}) => ({
  target,
  url: world.url,
  key: world.keys.main,
  model: world.models[target],
  embeddingModel: world.embeddingModels[target],
  prompt: 'Say hello',
  retries: 0,
  ...rest,
})

const statusOf = async (client, context) => {
  try {
    await client.ask(context)
  } catch (error) {
    const status = client.statusOf(error)
    assert.equal(typeof status, 'number', `an error without a status: ${reasonOf(error)}`)
    return status
  }
  return 200
}

/** Long enough for the maximum of a body that the runner sets. */
const LONG_PROMPT = 'x'.repeat(400_000)

const rejected = (client) => ({
  401: { key: 'sk-unknown-key' },
  403: { key: world.keys.restricted },
  404: { model: `${world.models.upstream}-unknown` },
  413: { prompt: LONG_PROMPT },
  429: { key: world.keys.longWait },
  ...client.rejected,
})

/**
 * Runs the checks of a client and reports a line for each. `ask` sends a plain request with `retries` retries (undefined: the
 * client's default) and resolves to the text; `statusOf` reads the HTTP status of an error; `features` has the other requests;
 * `abort` leaves a stream after its first text.
 */
export const run = async (client) => {
  const { ask, features, abort } = client
  for (const target of ['simulated', 'upstream']) {
    await check('plain', target, async () => expectText({ target }, await ask(contextOf(target))))
    for (const [feature, request] of Object.entries(features)) {
      await check(feature, target, () => request(contextOf(target)))
    }
  }
  await check('retry', 'upstream', async () => {
    const context = contextOf('upstream', {
      url: world.observedUrl,
      key: world.keys.shortWait,
      retries: undefined,
    })
    for (const text of await Promise.all([ask(context), ask(context)])) expectText(context, text)
  })
  const { 429: denied, ...others } = rejected(client)
  for (const [status, rest] of Object.entries(others)) {
    await check(status, 'upstream', async () =>
      assert.equal(await statusOf(client, contextOf('upstream', rest)), Number(status)),
    )
  }
  await check('no retry', 'upstream', async () => {
    const context = contextOf('upstream', { url: world.observedUrl, ...denied, retries: undefined })
    assert.equal(await statusOf(client, context), 200)
    assert.equal(await statusOf(client, context), 429)
  })
  await check('abort', 'upstream', () =>
    abort(contextOf('upstream', { key: world.keys.abort, prompt: `SLOWLY ${world.slowStream}` })),
  )
}
