import type { Limiter } from '../../core/decide/limiter.ts'
import { ZaelError } from '../../core/model/errors.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'

export interface KeyStats {
  readonly tracked: number
  readonly configured: number
  readonly active: number
}

/** Each entity costs a few reads, so no more are looked at, by id. */
export const MOST_COUNTED = 1000
const AT_ONCE = 20

/** Counts entities that have used anything, that have limits of their own, and that have something in use now. */
export const countKeys = async (needs: {
  readonly store: AdminStore
  readonly limiter: Limiter
}): Promise<KeyStats> => {
  const { items } = await needs.store.listEntities({ limit: MOST_COUNTED })
  const looks: KeyStats[] = []
  const next = items.values()
  const look = async (): Promise<void> => {
    for (const { id } of next) looks.push(await lookAt(needs, id))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, look))
  return looks.reduce(
    (sum, each) => ({
      tracked: sum.tracked + each.tracked,
      configured: sum.configured + each.configured,
      active: sum.active + each.active,
    }),
    NONE,
  )
}

const NONE: KeyStats = { tracked: 0, configured: 0, active: 0 }

const lookAt = async ({ store, limiter }: Parameters<typeof countKeys>[0], id: string): Promise<KeyStats> => {
  try {
    const [{ limits, used }, resources] = await Promise.all([
      limiter.status(id),
      store.limitedResources({ kind: 'entity', id }),
    ])
    const isActive = limits.some((state) => state.used > 0)
    const isTracked = isActive || Object.values(used).some((amount) => amount > 0)
    return { tracked: Number(isTracked), configured: Number(resources.length > 0), active: Number(isActive) }
  } catch (error) {
    // it was deleted since it was listed
    if (error instanceof ZaelError && error.code === 'not_found') return NONE
    throw error
  }
}
