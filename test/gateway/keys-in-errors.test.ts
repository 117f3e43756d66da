import { expect, test } from 'vitest'
import { events, json, type Script, startUpstream } from './scripted-upstream.ts'
import { aCall, anUpstream, createTestGateway, shown } from './test-gateway.ts'

const KEY = 'sk-secret-of-the-upstream'

const call = async (script: Script, key: string) => {
  const { baseUrl } = await startUpstream(script)
  const { gateway, log } = createTestGateway([anUpstream({ baseUrl, secret: 'env:UPSTREAM_API_KEY' })], {
    secrets: { read: async () => key },
  })
  const reply = shown(await gateway.call(aCall({ body: { messages: [], stream: true } })))
  return { reply, log: JSON.stringify(log) }
}

const error = { message: `the key ${KEY} has no access`, type: 'server_error', param: null, code: null }

test.each([
  ['a status', json(403, { error })],
  ['a response with status 200', json(200, { error })],
  ['the first event of a stream', events(`data: ${JSON.stringify({ error })}\n\n`)],
])("zael's own key is not shown if it is in the error of %s", async (_, script) => {
  const { reply, log } = await call(script, KEY)
  expect(reply).toMatchObject({
    status: 502,
    message: 'The upstream default rejects the credentials of zael',
  })
  expect(JSON.stringify(reply) + log).not.toContain(KEY)
})

test('the placeholder of a server without keys is no secret', async () => {
  const missing = {
    message: 'model not found, try: ollama pull m',
    type: 'api_error',
    param: null,
    code: null,
  }
  const { reply } = await call(json(404, { error: missing }), 'ollama')
  expect(reply).toMatchObject({ status: 404, charge: { of: 'request' } })
})
