import { expect, test } from 'vitest'
import type { Decision } from '../../../src/core/decide/decision.ts'
import { allowedBy, deniedBy, SECOND, stateOf, violationOf } from '../../web/limit-states.ts'
import { createDemoChat, denialOf, hello } from './demo-chat.ts'
import { createFakeLimiter } from './fake-limiter.ts'

const empty = violationOf(stateOf({ capacity: 10, available: 0 }), 1, SECOND)

const ask = (decision: Decision) => {
  const unavailableCause = 'AccessDeniedException: no'
  const limiter = createFakeLimiter({ ...decision, unavailableCause })
  return createDemoChat({ limiter }).ask('key-bob', hello())
}

test.each([
  [200, allowedBy()],
  [429, deniedBy([empty])],
])('a decision made without the store says so in its %d, without the cause', async (status, decision) => {
  const answer = await ask({ ...decision, degraded: true })
  expect([answer.status, answer.headers.get('x-zael-degraded')]).toEqual([status, 'true'])
  expect(await answer.clone().text()).not.toContain('AccessDenied')
  if (status === 429) expect(await denialOf(answer)).toMatchObject({ degraded: true })
})

test('one made with the store is not', async () => {
  const answer = await ask(deniedBy([empty]))
  expect(answer.headers.get('x-zael-degraded')).toBeNull()
  expect(await denialOf(answer)).not.toHaveProperty('degraded')
})
