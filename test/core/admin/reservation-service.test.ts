import { describe, expect, test } from 'vitest'
import { createReservationService } from '../../../src/core/admin/reservations.ts'
import type { ReservationStore } from '../../../src/core/charge/reservation-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { randomSecrets } from '../../../src/platform/secrets.ts'
import { createMemoryReservationStore } from '../../support/memory-request-stores.ts'
import { SECOND, START } from '../test-clock.ts'
import type { TestNode, TestWorld } from '../test-limiter.ts'
import { available, reserve, stored, worldOf } from '../token-world.ts'

const serviceOf = (world: TestWorld, node: TestNode, reservations: ReservationStore) =>
  createReservationService({
    limiter: node.limiter,
    reservations,
    clock: world.clock,
    secrets: randomSecrets,
  })

/** Two nodes on one table; the first holds a reservation of 40 of 100 tokens. */
const twoNodes = async (lifetimeSeconds = 600) => {
  const world = worldOf(100, 1 / 3600)
  const reservations = createMemoryReservationStore()
  const other = world.join()
  const [here, there] = [serviceOf(world, world.node, reservations), serviceOf(world, other, reservations)]
  const { reservation } = await reserve(world.node, 40)
  const { id, expiresAt } = await here.hold('key', reservation, lifetimeSeconds)
  return { world, reservations, here, there, other, id, expiresAt }
}

const lost = () => new StoreUnavailable('lost', { mayHaveApplied: true })

describe('a reservation held across two requests', () => {
  test('is settled once, by any node', async () => {
    const { world, here, there, other, id } = await twoNodes()
    expect(await available(world)).toBe(60)
    expect(await there.end('key', id, { tokens: 10 })).toEqual({ changed: true, state: 'settled' })
    expect(await available(world)).toBe(90)
    for (const again of [here, there]) {
      expect(await again.end('key', id, { tokens: 99 })).toEqual({ changed: false, state: 'settled' })
      expect(await again.end('key', id, null)).toEqual({ changed: false, state: 'settled' })
    }
    await other.limiter.flush({ all: true })
    expect(await available(world)).toBe(90)
    expect(await stored(world)).toMatchObject({ used_tokens: 10n })
  })

  test('is refunded in full and counts nothing when it is released', async () => {
    const { world, there, here, id } = await twoNodes()
    expect(await there.end('key', id, null)).toEqual({ changed: true, state: 'released' })
    expect(await here.end('key', id, { tokens: 1 })).toEqual({ changed: false, state: 'released' })
    expect(await available(world)).toBe(100)
    expect(await stored(world)).not.toHaveProperty('used_tokens')
  })

  test('stays charged after it expires, and is never counted as used', async () => {
    const { world, here, id, expiresAt } = await twoNodes(30)
    expect(expiresAt).toBe(START + 30n * SECOND)
    world.clock.advance(30n * SECOND)
    expect(await here.end('key', id, null)).toEqual({ changed: false, state: 'expired' })
    await world.node.limiter.flush({ all: true })
    expect(await available(world)).toBe(60)
    expect(await stored(world)).not.toHaveProperty('used_tokens')
  })

  test.each(['', 'nobody', 'a#b', 'x'.repeat(500)])('is not found under the id %j', async (id) => {
    const { here } = await twoNodes()
    await expect(here.end('key', id, null)).rejects.toMatchObject({
      code: 'not_found',
      field: 'reservation_id',
    })
  })

  test('is not found by another caller', async () => {
    const { world, here, id } = await twoNodes()
    await expect(here.end('another', id, null)).rejects.toMatchObject({ code: 'not_found' })
    expect(await available(world)).toBe(60)
  })

  test.each([true, false])('is refunded if it cannot be stored (applied and lost: %s)', async (isApplied) => {
    const { world, reservations } = await twoNodes()
    const failing: ReservationStore = {
      ...reservations,
      async put(reservation) {
        if (isApplied) await reservations.put(reservation)
        throw new StoreUnavailable('away', { mayHaveApplied: isApplied })
      },
    }
    const { reservation } = await reserve(world.node, 30)
    const held = serviceOf(world, world.node, failing).hold('key', reservation, 600)
    await expect(held).rejects.toBeInstanceOf(StoreUnavailable)
    expect(await available(world)).toBe(60)
  })

  test('is settled even if the response to closing it is lost', async () => {
    const { world, reservations, id } = await twoNodes()
    let sent = 0
    const losing: ReservationStore = {
      ...reservations,
      async close(closing) {
        const outcome = await reservations.close(closing)
        if (sent++ === 0) throw lost()
        return outcome
      },
    }
    const service = serviceOf(world, world.node, losing)
    expect(await service.end('key', id, { tokens: 1 })).toEqual({ changed: true, state: 'settled' })
    expect(await available(world)).toBe(99)
    expect(sent).toBe(2)
  })

  test('stays charged if the store becomes unavailable before it is closed', async () => {
    const { world, reservations, id, here } = await twoNodes()
    const unavailable: ReservationStore = { ...reservations, close: () => Promise.reject(lost()) }
    await expect(serviceOf(world, world.node, unavailable).end('key', id, null)).rejects.toBeInstanceOf(
      StoreUnavailable,
    )
    expect(await available(world)).toBe(60)
    expect(await here.end('key', id, null)).toMatchObject({ changed: true })
  })
})
