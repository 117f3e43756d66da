import { expect, test } from 'vitest'
import { createDemoChat } from '../model-routes/demo-chat.ts'

const { app } = createDemoChat()

const get = (path: string, key: string) => app.request(path, { headers: { 'x-api-key': key } })

const modelJson = (id: string) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'zael' })

test('the list contains the registered models', async () => {
  const response = await get('/v1/models', 'key-bob')
  const data = ['gpt-4', 'gpt-4o', 'org/tiny-model'].map(modelJson)
  expect([response.status, await response.json()]).toEqual([200, { object: 'list', data }])
})

test('the list contains only models that the caller may use', async () => {
  expect(await (await get('/v1/models', 'key-charlie')).json()).toEqual({
    object: 'list',
    data: [modelJson('gpt-4')],
  })
})

test.each(['/v1/models/org/tiny-model', '/v1/models/org%2Ftiny-model'])(
  'finds a model by an id with a slash at %s',
  async (path) => {
    const response = await get(path, 'key-bob')
    expect([response.status, await response.json()]).toEqual([200, modelJson('org/tiny-model')])
  },
)

test.each([
  ['/v1/models/gpt-9', 'key-bob', 404, 'model_not_found'],
  ['/v1/models/gpt-4o', 'key-charlie', 403, 'model_not_allowed'],
])('%s with the key %s returns %d', async (path, key, status, code) => {
  const response = await get(path, key)
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', param: null, code } })
})
