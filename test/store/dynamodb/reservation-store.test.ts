import { expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { reservationItem, toReservation } from '../../../src/store/dynamodb/reservation-store.ts'
import { entityOwner } from '../../core/test-config.ts'
import { createTestWorld } from '../../core/test-limiter.ts'

test('keeps all that limits of every algorithm remember of a charge', async () => {
  const { config, node, clock } = createTestWorld()
  config.putEntity('project')
  config.putEntity('key', { parentId: 'project' })
  const limits = parseLimits(
    [
      { name: 'rpm', capacity: 10, refill_rate: 1 / 60, refund: 'full' },
      { name: 'rph', algorithm: 'sliding_window', limit: 10, window_seconds: 3600, mode: 'warn' },
      { name: 'tpd', algorithm: 'fixed_window', limit: 1000, window: 'day', time_zone: 'Europe/Berlin' },
      { name: 'otpm', capacity: 100, refill_rate: 1 },
    ],
    'limits',
  )
  for (const id of ['project', 'key']) config.putLimits(entityOwner(id), '_default_', limits)
  for (const charge of [1, 2, 3]) {
    clock.advance(200_000_000_000n)
    const cost = { requests: charge, tokens: 7 }
    const decision = await node.limiter.decide({ entityId: 'key', cost, settles: true })
    if (!decision.allowed) throw new Error('denied')
    const { charges } = decision.reservation
    expect(charges.parts.flatMap(({ receipt }) => receipt?.limits ?? [])).toHaveLength(8)
    const reservation = { id: 'r1', ownerId: 'key', charges, createdAt: clock.now(), expiresAt: clock.now() }
    expect(toReservation(reservationItem(reservation))).toStrictEqual(reservation)
  }
})
