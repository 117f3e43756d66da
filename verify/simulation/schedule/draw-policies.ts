import { GLOBAL_POLICY, type PolicyKey, policyName } from '../../../src/core/model/policy.ts'
import type { Random } from '../world/random.ts'
import { redrawn } from './draw-entities.ts'
import { callersIn, type PlannedEntity, type PlannedPolicy, type Schedule } from './schedule.ts'

/** A quarter of the schedules have a policy, or two of different scopes. */
export const withPolicies = (random: Random, schedule: Schedule): Schedule => {
  if (!random.chance(0.25)) return schedule
  const { entities } = schedule
  const scopes = [globally, forOneKey, ...(entities.length > 1 ? [forTheTenant] : [])]
  const policies = scopes
    .filter(() => random.chance(0.6))
    .map((scope) => ({ ...scope(random, entities), limits: drawLimits(random, entities) }))
  return { ...schedule, policies }
}

type Scope = (random: Random, entities: readonly PlannedEntity[]) => Omit<PlannedPolicy, 'limits'>

const globally: Scope = (_, entities) => ({ ...named(GLOBAL_POLICY), callers: callersIn({ entities }) })

const forOneKey: Scope = (random, entities) => {
  const [first = '', ...others] = callersIn({ entities })
  const selector = random.pick([first, ...others])
  return { ...named({ scope: 'API_KEY', selector }), callers: [selector] }
}

/** The tenant is the parent of all other entities. */
const forTheTenant: Scope = (_, entities) => ({
  ...named({ scope: 'TENANT', selector: entities[0]?.id ?? '' }),
  callers: callersIn({ entities }),
})

const named = (key: PolicyKey) => ({ id: policyName(key), key })

/** About the size of the first entity's limit. */
const drawLimits = (random: Random, entities: readonly PlannedEntity[]): PlannedPolicy['limits'] =>
  (entities[0]?.limits ?? []).map((limit) => redrawn(random, limit))
