import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { createLambdaApi, finishResponses, settingsOnLambda } from '../../lambdas/lambda-api.ts'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { noUpstreamMetrics } from '../../src/core/ports/upstreams.ts'
import { readSettings, SettingsError } from '../../src/settings/read-settings.ts'

const made = (environment: Readonly<Record<string, string>>) => () =>
  createLambdaApi({
    settings: readSettings(environment),
    logger: silentLogger,
    metrics: { ...noMetrics, upstreams: noUpstreamMetrics },
    remainingMs: () => 0,
  })

test.each(['API_KEYS_FILE', 'API_KEYS_JSON'])('rejects %s and names the alternative', (name) => {
  expect(made({ [name]: '{}' })).toThrow(
    new SettingsError([
      'API_KEYS_FILE and API_KEYS_JSON are for npm start: on Lambda make keys by POST /api/entities/{id}/keys',
    ]),
  )
})

test('rejects UPSTREAMS_FILE and names the alternative', () => {
  expect(made({ UPSTREAMS_FILE: 'upstreams.yaml' })).toThrow(
    new SettingsError([
      'UPSTREAMS_FILE is for npm start: on Lambda add upstreams by PUT /api/upstreams/{name} and models by PUT /api/models/{id}',
    ]),
  )
})

test.each([
  [{}, 4_194_304],
  [{ MAX_MODEL_BODY_BYTES: '5000000' }, 4_194_304],
  [{ MAX_MODEL_BODY_BYTES: '1000' }, 1000],
])('with %j, a body of a model route is at most %i bytes', (environment, most) => {
  expect(settingsOnLambda(readSettings(environment)).maxModelBodyBytes).toBe(most)
})

test('accepts settings without a file', () => {
  expect(made({})).not.toThrow()
})

const chunks = async function* (texts: readonly string[]) {
  for (const text of texts) yield new TextEncoder().encode(text)
}

const streaming = new Hono()
  .get(
    '/stream',
    () => new Response(ReadableStream.from(chunks(['one ', 'two'])), { headers: { 'x-kept': 'yes' } }),
  )
  .get(
    '/broken',
    () => new Response(new ReadableStream({ pull: () => Promise.reject(new Error('upstream broke')) })),
  )
  .get('/empty', (c) => c.body(null, 204))
  .post('/echo', async (c) => c.json(await c.req.json(), 201))

const recording = () => {
  const finished: string[] = []
  const app = finishResponses(
    async () => streaming,
    async () => {
      finished.push('finished')
    },
  )
  return { app, finished }
}

test('finishes after the body and before its end', async () => {
  const { app, finished } = recording()
  const response = await app.request('/stream')
  expect(finished).toEqual([])
  expect(await response.text()).toBe('one two')
  expect(finished).toEqual(['finished'])
  expect(response.headers.get('x-kept')).toBe('yes')
})

test('finishes a response without a body before returning it', async () => {
  const { app, finished } = recording()
  expect((await app.request('/empty')).status).toBe(204)
  expect(finished).toEqual(['finished'])
})

test('finishes when the reader cancels', async () => {
  const { app, finished } = recording()
  const reader = (await app.request('/stream')).body?.getReader()
  await reader?.read()
  await reader?.cancel()
  expect(finished).toEqual(['finished'])
})

test('finishes once when the reader disconnects while the body is read', async () => {
  const { app, finished } = recording()
  const body = (await app.request('/stream')).body
  await new Promise(setImmediate)
  await body?.cancel()
  await new Promise(setImmediate)
  expect(finished).toEqual(['finished'])
})

test('finishes when the body fails and rethrows the error', async () => {
  const { app, finished } = recording()
  await expect((await app.request('/broken')).text()).rejects.toThrow('upstream broke')
  expect(finished).toEqual(['finished'])
})

test('passes method, body and status on', async () => {
  const { app } = recording()
  const response = await app.request('/echo', {
    method: 'POST',
    body: '{"a":1}',
    headers: { 'content-type': 'application/json' },
  })
  expect(response.status).toBe(201)
  expect(await response.json()).toEqual({ a: 1 })
})
