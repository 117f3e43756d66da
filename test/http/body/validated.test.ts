import { Hono } from 'hono'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import type { AppEnv } from '../../../src/http/app-dependencies.ts'
import { jsonBody, optionalJsonBody, query } from '../../../src/http/body/validated.ts'
import { createErrorHandler } from '../../../src/http/errors/error-response.ts'
import { bodyBounds } from '../../../src/http/middleware.ts'
import { systemClock } from '../../../src/platform/runtime.ts'

/** Routes that accept a list of positive numbers, and the number of items that were validated. */
const listening = () => {
  let visited = 0
  const item = v.custom<number>((value) => {
    visited += 1
    return typeof value === 'number' && value > 0
  }, 'be positive')
  const app = new Hono<AppEnv>()
  app.onError(
    createErrorHandler({ logger: silentLogger, clock: systemClock, settings: { errorFormat: 'flat' } }),
  )
  app.use(bodyBounds({ maxBodyBytes: 1_048_576, maxModelBodyBytes: 1_048_576 }), (c, next) => {
    c.set('responseContext', {
      requestId: 'req_1',
      nodeId: null,
      crossOrigin: undefined,
      completed: undefined,
    })
    return next()
  })
  const echo = jsonBody(v.strictObject({ items: v.array(item) }))
  app.post('/required', echo, (c) => c.json(c.req.valid('json')))
  app.post('/optional', optionalJsonBody(v.strictObject({ name: v.exactOptional(v.string()) })), (c) =>
    c.json(c.req.valid('json')),
  )
  app.get('/page', query(v.object({ limit: v.exactOptional(v.string()) })), (c) =>
    c.json(c.req.valid('query')),
  )
  const get = async (path: string) => {
    const response = await app.request(path)
    const json: unknown = await response.json()
    return { status: response.status, body: json }
  }
  const post = async (path: string, body?: string) => {
    const headers = { 'content-type': 'application/json' }
    const response = await app.request(path, { method: 'POST', ...(body !== undefined && { headers, body }) })
    const json: unknown = await response.json()
    return { status: response.status, body: json }
  }
  return { get, post, visited: () => visited }
}

test('validation stops at the first invalid item, and names it', async () => {
  const { post, visited } = listening()
  expect(await post('/required', JSON.stringify({ items: [1, 2, ...Array(40_000).fill(0)] }))).toMatchObject({
    status: 400,
    body: { message: 'items[2] must be positive' },
  })
  expect(visited()).toBe(3)
})

test('an error repeats no more than 200 characters of a name', async () => {
  const { post } = listening()
  const name = 'n'.repeat(100_000)
  expect(await post('/required', JSON.stringify({ items: [], [name]: 1 }))).toMatchObject({
    status: 400,
    body: { message: `${'n'.repeat(200)}… must not be given: it is not known` },
  })
})

test('a body is optional only if every field is', async () => {
  const { post } = listening()
  expect(await post('/required')).toMatchObject({
    status: 400,
    body: { message: 'body must be given: a JSON object' },
  })
  expect(await post('/optional')).toEqual({ status: 200, body: {} })
  for (const body of ['[]', 'null', '1']) {
    expect(await post('/optional', body)).toMatchObject({
      status: 400,
      body: { message: 'body must be an object' },
    })
  }
})

test('an error about a parameter that is repeated says so', async () => {
  const { get } = listening()
  expect(await get('/page?limit=1')).toEqual({ status: 200, body: { limit: '1' } })
  expect(await get('/page?limit=1&limit=2')).toMatchObject({
    status: 400,
    body: { message: 'limit must be given once' },
  })
})
