import {
  NAME_SCOPES,
  type NameScope,
  NO_NAME,
  nameAsId,
  namedBucketKey,
  policyName,
} from '../../../src/core/model/policy.ts'
import { sha256 } from '../../../src/platform/runtime.ts'
import type { Random } from '../world/random.ts'
import { redrawn, scaledSize } from './draw-entities.ts'
import {
  callersIn,
  type PlannedLimit,
  type PlannedPolicy,
  type PlannedRequest,
  type Schedule,
} from './schedule.ts'

/** The last one is no id, so its bucket has its hash. */
const NAMES = ['ann', 'bob', 'a user, no id'] as const

/**
 * In a sixth of the schedules, each user or each session has limits of its own, or each of both. The callers belong to one
 * tenant, or each of them is a tenant.
 */
export const withNames = (random: Random, schedule: Schedule): Schedule => {
  const { entities, policies } = schedule
  if (!random.chance(1 / 6)) return schedule
  const callers = callersIn(schedule)
  const hasTenant = policies.some(({ key }) => key.scope === 'TENANT')
  const tenants = hasTenant || random.chance(0.4) ? [entities[0]?.id ?? ''] : callers
  const scopes = random.pick([[NAME_SCOPES[0]], [NAME_SCOPES[1]], [...NAME_SCOPES]])
  const limits = scopes.map((scope) => [scope, drawLimits(random, schedule)] as const)
  const named = limits.flatMap(([scope, drawn]) => policiesOf(scope, drawn, tenants, callers))
  const name = (request: PlannedRequest): PlannedRequest => ({
    ...request,
    ...(random.chance(0.8) && { user: random.pick([...NAMES]) }),
    ...(random.chance(0.8) && { session: random.pick([...NAMES]) }),
  })
  return { ...schedule, policies: [...policies, ...named], requests: schedule.requests.map(name) }
}

/** A bucket for each tenant and name. */
const policiesOf = (
  scope: NameScope,
  limits: readonly PlannedLimit[],
  tenants: readonly string[],
  callers: readonly string[],
): readonly PlannedPolicy[] =>
  tenants.flatMap((tenant) =>
    [...NAMES, undefined].map((name) => {
      const id = name === undefined ? NO_NAME : nameAsId(name, sha256)
      const key = namedBucketKey({ scope, tenant, name: id })
      const own = callers.includes(tenant) && tenants.length > 1 ? [tenant] : callers
      return { id: policyName(key), key, callers: own, limits, named: { scope, tenant, name } }
    }),
  )

/** About half of the first entity's limits, which deny. */
const drawLimits = (random: Random, { entities }: Schedule): readonly PlannedLimit[] =>
  (entities[0]?.limits ?? []).map(({ name, meter, size, refund }) => {
    const limit = redrawn(random, { name, meter, size, refund })
    return { ...limit, size: scaledSize(limit.size, 0.5) }
  })
