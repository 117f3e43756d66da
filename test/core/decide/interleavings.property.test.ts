import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { nsPerToken } from '../../../src/core/model/time.ts'
import { runs } from '../../property-runs.ts'
import { CAPACITIES, calmPlans, changingPlans, createFamilyLog, roughPlans } from '../family-log.ts'
import { stored } from '../token-world.ts'
import { worstExcess } from '../use-log.ts'

const IDS = ['key', 'project'] as const

type FamilyLog = ReturnType<typeof createFamilyLog>

/** Carries a plan out, to the last answer. */
const carriedOut = async (plan: Parameters<FamilyLog['run']>[0]): Promise<FamilyLog> => {
  const family = createFamilyLog()
  await family.run(plan)
  await family.finish()
  expect(family.underWay()).toBe(0)
  return family
}

const tokensIn = ({ log }: FamilyLog): number => log.uses.reduce((sum, { amount }) => sum + amount, 0)

describe('calls that overtake each other', () => {
  test.prop([calmPlans], { numRuns: runs(170) })(
    'at one moment take exactly what is used, and count it and every denial once',
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
    'at one moment forget nothing of what is used, whatever becomes of the limit meanwhile',
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
    'never let more be used than there is, whatever is refused or lost, and each has an answer',
    async (plan) => {
      const { log } = await carriedOut(plan)
      const uses = log.uses.toSorted((a, b) => Number(a.at - b.at))
      for (const capacity of Object.values(CAPACITIES)) {
        // a refund that is under way for a while may return what time gives back meanwhile; and a request that waits for
        // another's write is charged so much later than it was asked
        const slackNs = log.settlingNs + log.waitingNs
        const excess = worstExcess(uses, capacity, nsPerToken(capacity / 60)) - slackNs
        expect(excess <= 0n).toBe(true)
      }
    },
  )
})
