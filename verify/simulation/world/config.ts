import { newEntity } from '../../../src/core/admin/entity-draft.ts'
import { parseLimits } from '../../../src/core/limit/parse-limit.ts'
import type { ConfigStore } from '../../../src/core/ports/config-store.ts'
import type { PlannedEntity, PlannedLimit } from '../schedule/schedule.ts'

/** The configuration of a schedule, always there. */
export const createConfig = (planned: readonly PlannedEntity[]): ConfigStore => {
  const known = new Map(
    planned.map(({ id, parentId, limits }) => [
      id,
      {
        entity: newEntity({ id, name: id, kind: 'key', parentId }, 0n),
        limits: { limits: parseLimits(limits.map(limitJson), 'limits'), version: 1n },
      },
    ]),
  )
  return {
    entity: async (id) => known.get(id)?.entity,
    model: async () => undefined,
    limitSets: async (keys) =>
      keys.map(({ owner, resource }) =>
        owner.kind === 'entity' && resource === '_default_' ? known.get(owner.id)?.limits : undefined,
      ),
    apiKey: async () => undefined,
  }
}

const limitJson = ({ name, meter, size, refund }: PlannedLimit): object => ({
  name,
  meter,
  refund,
  ...sizeJson(size),
})

const sizeJson = (size: PlannedLimit['size']): object => {
  switch (size.kind) {
    case 'bucket':
      return { capacity: size.capacity, refill_rate: size.capacity / size.fillsInSeconds }
    case 'sliding': {
      const { limit, seconds, slots } = size
      return { algorithm: 'sliding_window', limit, window_seconds: seconds, slots }
    }
    case 'minute':
      return { algorithm: 'fixed_window', limit: size.limit, window: 'minute' }
  }
}
