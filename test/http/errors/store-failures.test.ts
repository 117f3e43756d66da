import { expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { type Logger, silentLogger } from '../../../src/core/ports/platform.ts'
import { SECOND } from '../../core/test-clock.ts'
import { createTestApp } from '../test-app.ts'

test('requests that fail with the store are one line a minute, with their number and no stack', async () => {
  const lines: unknown[] = []
  const at =
    (level: string): Logger['warn'] =>
    (...line) =>
      void lines.push([level, ...line])
  const logger: Logger = { ...silentLogger, warn: at('warn'), error: at('error') }
  const { ask, app, clock } = createTestApp({ logger })
  app.get('/away', () => {
    throw new StoreUnavailable('away', { mayHaveApplied: false, reason: 'AccessDeniedException: no' })
  })
  for (let turn = 0; turn < 5; turn++) {
    const { status, body } = await ask('GET', '/away')
    expect([status, JSON.stringify(body)]).toEqual([503, expect.not.stringContaining('AccessDenied')])
  }
  const fields = { reason: 'AccessDeniedException: no' }
  expect(lines).toEqual([['warn', 'requests failed without the store', { ...fields, count: 1 }]])
  clock.advance(60n * SECOND)
  await ask('GET', '/away')
  expect(lines[1]).toEqual(['warn', 'requests failed without the store', { ...fields, count: 5 }])
})
