import { expect, test } from 'vitest'
import { type Logger, silentLogger } from '../../../src/core/ports/logger.ts'
import { allowedBy, deniedBy, SECOND, stateOf, violationOf } from '../headers/limit-states.ts'
import { createDemoChat, denialOf, hello } from './demo-chat.ts'
import { createFakeLimiter } from './fake-limiter.ts'

const empty = violationOf(stateOf({ capacity: 10, available: 0 }), 1, SECOND)

const ask = async (decision: Parameters<typeof createFakeLimiter>[0]) => {
  const lines: unknown[] = []
  const logger: Logger = { ...silentLogger, warn: (_, fields) => void lines.push(fields) }
  const answer = await createDemoChat({ limiter: createFakeLimiter(decision), logger }).ask(
    'key-bob',
    hello(),
  )
  return { answer, lines }
}

test.each([
  [200, allowedBy()],
  [429, deniedBy([empty])],
])('a decision made without the store is logged, and says so in its %d', async (status, decision) => {
  const { answer, lines } = await ask({ ...decision, degraded: true })
  expect([answer.status, answer.headers.get('x-zael-degraded')]).toEqual([status, 'true'])
  expect(lines).toEqual([{ entityId: 'key-bob', allowed: status === 200 }])
  if (status === 429) expect(await denialOf(answer)).toMatchObject({ degraded: true })
})

test('one made with the store is not', async () => {
  const { answer, lines } = await ask(deniedBy([empty]))
  expect([answer.headers.get('x-zael-degraded'), lines]).toEqual([null, []])
  expect(await denialOf(answer)).not.toHaveProperty('degraded')
})
