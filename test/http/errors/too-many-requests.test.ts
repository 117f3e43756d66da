import { expect, test } from 'vitest'
import { TooManyRequests } from '../../../src/core/model/errors.ts'
import { createTestApp, VIEWER } from '../test-app.ts'

test.each(['/api/entities?q=x', '/api/dashboard/entities?q=x', '/api/dashboard/stream?q=x'])(
  '%s returns 429 with the time to wait while too many searches read',
  async (path) => {
    const { ask, store } = createTestApp()
    store.listEntities = async () => {
      throw new TooManyRequests('Too many searches at once', 1.5)
    }
    const { status, headers, body } = await ask('GET', path, { headers: VIEWER })
    expect(status).toBe(429)
    expect(body).toEqual({
      error: 'rate_limit_exceeded',
      message: 'Too many searches at once',
      retry_after_seconds: 1.5,
      violations: [],
    })
    expect([headers.get('retry-after'), headers.get('retry-after-ms')]).toEqual(['2', '1500'])
  },
)
