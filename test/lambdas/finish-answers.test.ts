import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { finishAnswers } from '../../lambdas/finish-answers.ts'

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
  const app = finishAnswers(
    async () => streaming,
    async () => {
      finished.push('finished')
    },
  )
  return { app, finished }
}

test('finishes after the body and before its end', async () => {
  const { app, finished } = recording()
  const answer = await app.request('/stream')
  expect(finished).toEqual([])
  expect(await answer.text()).toBe('one two')
  expect(finished).toEqual(['finished'])
  expect(answer.headers.get('x-kept')).toBe('yes')
})

test('finishes an answer without a body before it is given', async () => {
  const { app, finished } = recording()
  expect((await app.request('/empty')).status).toBe(204)
  expect(finished).toEqual(['finished'])
})

test('finishes when the reader goes away', async () => {
  const { app, finished } = recording()
  const reader = (await app.request('/stream')).body?.getReader()
  await reader?.read()
  await reader?.cancel()
  expect(finished).toEqual(['finished'])
})

test('finishes once when the reader goes away while the body is read', async () => {
  const { app, finished } = recording()
  const body = (await app.request('/stream')).body
  await new Promise(setImmediate)
  await body?.cancel()
  await new Promise(setImmediate)
  expect(finished).toEqual(['finished'])
})

test('finishes when the body fails, and passes the failure on', async () => {
  const { app, finished } = recording()
  await expect((await app.request('/broken')).text()).rejects.toThrow('upstream broke')
  expect(finished).toEqual(['finished'])
})

test('hands method, body and status through', async () => {
  const { app } = recording()
  const answer = await app.request('/echo', {
    method: 'POST',
    body: '{"a":1}',
    headers: { 'content-type': 'application/json' },
  })
  expect(answer.status).toBe(201)
  expect(await answer.json()).toEqual({ a: 1 })
})
