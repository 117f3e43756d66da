import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { createReservationService } from '../../../src/core/admin/reservations.ts'
import type { ReservationStore } from '../../../src/core/charge/reservation-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { randomSecrets } from '../../../src/platform/secrets.ts'
import { runs } from '../../property-runs.ts'
import { createMemoryReservationStore } from '../../support/memory-request-stores.ts'
import { available, reserve, stored, worldOf } from '../token-world.ts'

const turns = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left--) await Promise.resolve()
}

const endings = fc.array(
  fc.record({
    node: fc.constantFrom(0, 1),
    /** Null: released. */
    used: fc.option(fc.integer({ min: 0, max: 60 })),
    start: fc.nat(6),
    there: fc.nat(6),
    back: fc.nat(6),
    /** Store calls whose responses are lost. */
    lost: fc.nat(2),
  }),
  { minLength: 1, maxLength: 8 },
)

describe('a reservation with several concurrent attempts to end it', () => {
  test.prop([endings], { numRuns: runs(130) })(
    'ends at most once, with the result of the attempt that ended it',
    async (plan) => {
      const world = worldOf(100, 1 / 3600)
      const nodes = [world.node, world.join()] as const
      const table = createMemoryReservationStore()
      const serviceOn = (node: 0 | 1, reservations: ReservationStore) =>
        createReservationService({
          limiter: nodes[node].limiter,
          reservations,
          clock: world.clock,
          secrets: randomSecrets,
        })
      const { reservation } = await reserve(world.node, 40)
      const { id } = await serviceOn(0, table).hold('key', reservation, 600)

      const outcomes = await Promise.all(
        plan.map(async ({ node, used, start, there, back, lost }) => {
          let left = lost
          const far: ReservationStore = {
            ...table,
            async close(closing) {
              await turns(there)
              const outcome = await table.close(closing)
              await turns(back)
              if (left-- > 0) throw new StoreUnavailable('lost', { mayHaveApplied: true })
              return outcome
            },
          }
          await turns(start)
          const end = serviceOn(node === 0 ? 0 : 1, far).end(
            'key',
            id,
            used === null ? null : { tokens: used },
          )
          return { used, ended: await end.catch(() => undefined) }
        }),
      )
      for (const { limiter } of nodes) await limiter.flush({ all: true })

      const winners = outcomes.filter(({ ended }) => ended?.changed)
      expect(winners.length).toBeLessThanOrEqual(1)
      const [winner] = winners
      // if the response to the closing call was lost, it stays charged
      const charged = winner === undefined ? 40 : (winner.used ?? 0)
      expect(await available(world)).toBe(100 - charged)
      const { used_tokens = 0n } = await stored(world)
      expect(used_tokens).toBe(BigInt(winner?.used ?? 0))
    },
  )
})
