import { expect, test } from 'vitest'
import { errorHeaders } from '../../../src/http/model-routes/passed-headers.ts'
import { createDemoChat, hello } from './demo-chat.ts'
import { fakeBackend, whole } from './fake-backend.ts'
import { createFakeLimiter } from './fake-limiter.ts'

test.each([
  ['61 s', { 'retry-after': '61' }, 'false'],
  ['60 s', { 'retry-after': '60' }, undefined],
  ['an hour in ms', { 'retry-after-ms': '3600000', 'retry-after': '1' }, 'false'],
  ['ms before seconds', { 'retry-after-ms': '500', 'retry-after': '3600' }, undefined],
  ['a date', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, undefined],
  [
    'an hour, although the upstream states that a retry helps',
    { 'retry-after': '3600', 'x-should-retry': 'true' },
    'false',
  ],
  ['none', { 'x-should-retry': 'true' }, 'true'],
])('a wait of an upstream: %s', (_, headers, retry) => {
  expect(errorHeaders(headers, 60)).toEqual({ ...headers, ...(retry && { 'x-should-retry': retry }) })
})

test('a client is told not to wait an hour for an upstream', async () => {
  const reply = whole({ error: {} }, { of: 'nothing' }, 429, { 'retry-after': '3600' })
  const backend = fakeBackend({ call: async () => reply })
  const response = await createDemoChat({ limiter: createFakeLimiter(), backend }).send('key-bob', hello(5))
  expect([response.status, response.headers.get('x-should-retry')]).toEqual([429, 'false'])
})
