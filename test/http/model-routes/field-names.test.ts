import { expect, test } from 'vitest'
import { requireExactNames } from '../../../src/http/model-routes/field-names.ts'
import { createDemoChat, hello } from './demo-chat.ts'
import { fakeBackend } from './fake-backend.ts'
import { createFakeLimiter } from './fake-limiter.ts'

test.each([
  ['MAX_TOKENS', 'max_tokens'],
  ['Max_Completion_Tokens', 'max_completion_tokens'],
  ['maxOutputTokens', 'max_output_tokens'],
  ['max_to\u212aens', 'max_tokens'],
  ['\u017ftream', 'stream'],
  ['Model', 'model'],
  ['serviceTier', 'service_tier'],
  ['N', 'n'],
  ['Previous_Response_Id', 'previous_response_id'],
])('%s is not accepted for %s', (name, read) => {
  const error = {
    code: 'invalid_request',
    message: `${name} must be named ${read}: names are case-sensitive`,
  }
  expect(() => requireExactNames({ model: 'gpt-4', [name]: 1 })).toThrowError(expect.objectContaining(error))
})

test('other fields pass, whatever their names', () => {
  const others = { temperature: 1, 'X-Custom': 1, safetySettings: [], modelKwargs: {}, __proto__: null }
  expect(() => requireExactNames({ model: 'gpt-4', max_tokens: 1, ...others })).not.toThrow()
})

test('a request with such a field is neither charged nor sent', async () => {
  const limiter = createFakeLimiter()
  const backend = fakeBackend({
    call: () => {
      throw new Error('sent')
    },
  })
  const response = await createDemoChat({ limiter, backend }).send('key-bob', {
    ...hello(10),
    MAX_TOKENS: 4000,
  })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { param: 'MAX_TOKENS', code: 'invalid_request' } })
  expect(limiter.calls).toEqual([])
})
