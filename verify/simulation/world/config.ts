import { parseLimits } from '../../../src/contract/limits.ts'
import { newEntity } from '../../../src/core/admin/entities.ts'
import { DEFAULT_RESOURCE, type LimitSet } from '../../../src/core/model/limit-set.ts'
import { EVERY_NAME, policyName } from '../../../src/core/model/policy.ts'
import type { ConfigStore } from '../../../src/core/ports/config-store.ts'
import { scaledSize } from '../schedule/draw-entities.ts'
import type { PlannedChange, PlannedLimit, PlannedSlots, Schedule } from '../schedule/schedule.ts'

/** The configuration of a schedule, as all nodes read it. */
export interface PlannedConfig extends ConfigStore {
  change(change: Pick<PlannedChange, 'of' | 'limits'>): void
}

/** The name of the limits of requests in flight. */
export const SLOTS_NAME = 'conc'

export const createConfig = ({ entities, policies, slots = [] }: Schedule): PlannedConfig => {
  const limitSet = (of: string, limits: readonly PlannedLimit[], version: bigint): LimitSet => ({
    limits: parseLimits(
      [...limits.map(limitJson), ...slots.filter((each) => each.of === of).map(slotsJson)],
      'limits',
    ),
    version,
  })
  const stored = new Map(
    entities.map(({ id, parentId }) => {
      const isTenant =
        entities.some((child) => child.parentId === id) || policies.some(({ named }) => named?.tenant === id)
      const kind = isTenant ? 'tenant' : 'key'
      return [id, newEntity({ id, name: id, kind, parentId }, 0n)]
    }),
  )
  const sets = new Map([...entities, ...policies].map(({ id, limits }) => [id, limitSet(id, limits, 1n)]))
  for (const { named, limits } of policies) {
    const every = named && policyName({ scope: named.scope, selector: EVERY_NAME })
    if (every !== undefined) sets.set(every, limitSet(every, limits, 1n))
  }
  return {
    entity: async (id) => stored.get(id),
    entities: async (ids) => ids.map((id) => stored.get(id)),
    model: async () => undefined,
    limitSets: async (keys) =>
      keys.map(({ owner, resource }) => {
        if (owner.kind === 'policy') return sets.get(policyName(owner))
        return owner.kind === 'entity' && resource === DEFAULT_RESOURCE ? sets.get(owner.id) : undefined
      }),
    apiKey: async () => undefined,
    change: ({ of, limits }) => void sets.set(of, limitSet(of, limits, (sets.get(of)?.version ?? 0n) + 1n)),
  }
}

const slotsJson = ({ limit, leaseSeconds }: PlannedSlots): object => ({
  name: SLOTS_NAME,
  algorithm: 'concurrency',
  limit,
  lease_seconds: leaseSeconds,
})

const limitJson = ({ name, meter, size, refund, onUnavailable, mode, scheduled }: PlannedLimit): object => ({
  name,
  meter,
  refund,
  on_unavailable: onUnavailable,
  mode,
  ...sizeJson(size),
  ...(scheduled !== undefined && { schedule: [scheduleJson(size, scheduled)] }),
})

/** A minute that ends, or begins, at the transition of all runs: 00:01. */
const scheduleJson = (size: PlannedLimit['size'], { when, factor }: Scheduled): object => ({
  cron: when === 'before' ? '0 0 * * *' : '1 0 * * *',
  time_zone: 'UTC',
  duration_seconds: 60,
  ...amountsJson(scaledSize(size, factor)),
})

const amountsJson = (size: PlannedLimit['size']): object =>
  size.kind === 'bucket'
    ? { capacity: size.capacity, refill_rate: size.capacity / size.fillsInSeconds }
    : { limit: size.limit }

type Scheduled = NonNullable<PlannedLimit['scheduled']>

const sizeJson = (size: PlannedLimit['size']): object => {
  switch (size.kind) {
    case 'bucket':
      return amountsJson(size)
    case 'sliding': {
      const { limit, seconds, slots } = size
      return { algorithm: 'sliding_window', limit, window_seconds: seconds, slots }
    }
    case 'minute':
      return { algorithm: 'fixed_window', limit: size.limit, window: 'minute' }
    case 'run':
      return {
        algorithm: 'fixed_window',
        limit: size.limit,
        window: 'first_use',
        window_seconds: size.seconds,
      }
  }
}
