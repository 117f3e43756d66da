import { describe, expect, test } from 'vitest'
import { modelErrorEvent } from '../../../src/web/model-errors.ts'
import { createTestApp } from '../test-app.ts'

const problem = { status: 502, message: 'No luck', code: 'upstream_unavailable', type: null, param: null }

describe('an error of /v1/messages', () => {
  test.each([
    ['/v1/messages', 401, 'authentication_error'],
    ['/v1/messages/count_tokens', 401, 'authentication_error'],
  ])("at %s has Anthropic's form", async (path, status, type) => {
    const { send } = createTestApp()
    const response = await send('POST', path, { headers: { 'x-request-id': 'req-7' }, body: {} })
    expect([response.status, response.body]).toEqual([
      status,
      { type: 'error', error: { type, message: expect.any(String) }, request_id: 'req-7' },
    ])
    expect(response.headers.get('request-id')).toBe('req-7')
  })

  test('is flat with ERROR_FORMAT=flat', async () => {
    const { send } = createTestApp({ settings: { errorFormat: 'flat' } })
    const response = await send('POST', '/v1/messages', { headers: {}, body: {} })
    expect(response.body).toMatchObject({ error: 'unauthorized' })
  })

  test('of another path has not', async () => {
    const response = await createTestApp().send('GET', '/v1/messagesx', { headers: {} })
    expect(response.body).toMatchObject({ error: { code: 'invalid_api_key' } })
  })
})

describe('an error in a stream', () => {
  test.each([
    [
      'chat' as const,
      'data: {"error":{"message":"No luck","type":"server_error","param":null,"code":"upstream_unavailable"},"message":"No luck"}\n\n',
    ],
    [
      'responses' as const,
      'event: error\ndata: {"type":"error","code":"upstream_unavailable","message":"No luck","param":null,"sequence_number":0}\n\n',
    ],
    [
      'messages' as const,
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"No luck"},"request_id":"r1"}\n\n',
    ],
  ])('of %s is an event of that API', (api, expected) => {
    expect(modelErrorEvent(api, problem, 'r1')).toBe(expected)
  })
})
