import type { Allowed, Decision, Denied } from '../../core/decide/decision.ts'
import { createDecisionLog } from '../../core/decide/decision-log.ts'
import { settledReservation } from '../../core/decide/reservation.ts'
import type { Entity } from '../../core/model/entity.ts'
import { StoreUnavailable, ZaelError } from '../../core/model/errors.ts'
import type { OnUnavailable } from '../../core/model/limit.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import type { CacheFactory, Clock, Logger, Metrics } from '../../core/ports/platform.ts'
import { createCachedConfig } from '../../core/resolve/config-cache.ts'
import { lruCaches } from '../../platform/runtime.ts'

const MAX_AGE_NS = 30n * SECOND_NS

/** Longer chains of parents are cut, as in the resolution of limits. */
const MAX_ANCESTORS = 32

/** Both throw `StoreUnavailable` if an entity cannot be read and is not cached. */
interface EnabledChecks {
  /** Throws `ZaelError('unauthorized')` for an entity that is disabled or has a disabled ancestor (cached for 30 s). */
  checkEnabled(entityId: string): Promise<void>
  /** Throws as `checkEnabled` for the tenant of a token, and if it is no tenant. */
  checkTenant(entity: Pick<Entity, 'parentId'>): Promise<void>
}

export const createEnabledChecks = (config: ConfigStore, clock: Clock): EnabledChecks => {
  const cached = createCachedConfig({ config, clock, newCache: lruCaches, newForNs: 0n })
  const checkEnabled: EnabledChecks['checkEnabled'] = async (entityId) => {
    const reads = cached.open(MAX_AGE_NS)
    let id: string | null = entityId
    for (let i = 0; id !== null && i <= MAX_ANCESTORS; i++) {
      const entity = await reads.entity(id)
      if (entity?.disabled) throw new ZaelError('unauthorized', `${id} is disabled`)
      id = entity?.parentId ?? null
    }
  }
  return {
    checkEnabled,
    async checkTenant({ parentId }) {
      if (parentId === null) return
      const tenant = await cached.open(MAX_AGE_NS).entity(parentId)
      if (tenant?.kind !== 'tenant')
        throw new ZaelError('unauthorized', `The token is not valid: ${parentId} is no tenant`)
      await checkEnabled(parentId)
    },
  }
}

interface FallbackDependencies {
  /** `local` denies, because the limits whose share could be granted cannot be read. */
  readonly onUnavailable: OnUnavailable
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly newCache: CacheFactory
}

/** Runs `decide`. If it throws `StoreUnavailable`, the configuration cannot be read and `onUnavailable` decides alone. */
export const createUnreadConfigFallback = (needs: FallbackDependencies) => {
  const { onUnavailable, metrics } = needs
  const log = createDecisionLog(needs)
  const decideWithout = (error: StoreUnavailable): Decision => {
    const decision = onUnavailable === 'allow' ? allowed(error) : denied(error)
    metrics.count(decision.allowed ? 'decisions_allowed' : 'decisions_denied')
    metrics.count('decisions_degraded')
    log(decision)
    return decision
  }
  return async (decide: () => Promise<Decision>): Promise<Decision> => {
    try {
      return await decide()
    } catch (error) {
      if (error instanceof StoreUnavailable) return decideWithout(error)
      throw error
    }
  }
}

/** The common fields of decisions without limits. */
const withoutLimits = ({ reason }: StoreUnavailable) => ({
  degraded: true,
  unavailableCause: reason,
  limits: [],
  reported: [],
})

const allowed = (error: StoreUnavailable): Allowed => ({
  ...withoutLimits(error),
  allowed: true,
  reservation: settledReservation,
})

const denied = (error: StoreUnavailable): Denied => ({
  ...withoutLimits(error),
  allowed: false,
  unavailable: true,
  violations: [],
  retryAfterNs: 0n,
})
