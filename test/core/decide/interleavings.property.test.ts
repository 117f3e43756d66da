import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { nsPerToken } from '../../../src/core/model/time.ts'
import { runs } from '../../property-runs.ts'
import { CAPACITIES, calmPlans, changingPlans, createFamilyLog, roughPlans } from '../family-log.ts'
import { stored } from '../token-world.ts'
import { worstExcess } from '../use-log.ts'

const IDS = ['key', 'project'] as const

type FamilyLog = ReturnType<typeof createFamilyLog>

/** Executes a plan, until the last response. */
const carriedOut = async (plan: Parameters<FamilyLog['run']>[0]): Promise<FamilyLog> => {
  const family = createFamilyLog()
  await family.run(plan)
  await family.finish()
  expect(family.underWay()).toBe(0)
  return family
}

const tokensIn = ({ log }: FamilyLog): number => log.uses.reduce((sum, { amount }) => sum + amount, 0)

describe('interleaved calls', () => {
  test.prop([calmPlans], { numRuns: runs(170) })(
    'at one moment charge exactly what is used, and count it and every denial once',
    async (plan) => {
      const family = await carriedOut(plan)
      const { world, log } = family
      const tokens = tokensIn(family)
      for (const id of IDS) {
        const { limits, used } = await world.join().limiter.status(id, '_default_')
        expect([id, limits[0]?.available]).toEqual([id, CAPACITIES[id] - tokens])
        expect(used).toMatchObject({ requests: log.requests, tokens })
        const { denied = 0n, denied_tpm = 0n } = await stored(world, id)
        const deniedBy = log.deniedBy.filter((by) => by === id).length
        expect([denied, denied_tpm]).toEqual([BigInt(id === 'key' ? log.denied : 0), BigInt(deniedBy)])
      }
    },
  )

  test.prop([changingPlans], { numRuns: runs(170) })(
    'at one moment lose nothing of what is used, however the limit changes meanwhile',
    async (plan) => {
      const family = await carriedOut(plan)
      const { world, log } = family
      const tokens = tokensIn(family)
      for (const id of IDS) {
        const { limits, used } = await world.join().limiter.status(id, '_default_')
        const { available = 0, capacity = 0 } = limits[0] ?? {}
        expect(available).toBeLessThanOrEqual(Math.max(0, capacity - tokens))
        expect(used).toMatchObject({ requests: log.requests, tokens })
      }
    },
  )

  test.prop([roughPlans], { numRuns: runs(330) })(
    'never admit more than there is, whatever is rejected or lost, and each gets a response',
    async (plan) => {
      const { log } = await carriedOut(plan)
      const uses = log.uses.toSorted((a, b) => Number(a.at - b.at))
      for (const capacity of Object.values(CAPACITIES)) {
        // a slow refund may return tokens that time has already refilled; and a request that waits for
        // another's write is charged later than it was sent
        const slackNs = log.settlingNs + log.waitingNs
        const excess = worstExcess(uses, capacity, nsPerToken(capacity / 60)) - slackNs
        expect(excess <= 0n).toBe(true)
      }
    },
  )
})
