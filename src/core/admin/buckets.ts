import type { Limiter } from '../decide/limiter.ts'
import { invalid } from '../model/errors.ts'
import type { LimitMeter } from '../model/meter.ts'
import { type AdminDependencies, auditRecord } from './audit.ts'

/** Selects buckets and limits of an entity; an absent field selects all. */
export interface Selection {
  readonly resource?: string
  readonly limitName?: string
}

export interface Amendment extends Selection {
  readonly amount?: number
}

/** Changes of buckets by administrators. Throws `not_found` for an unknown entity, `invalid_request` for an unknown limit. */
export interface BucketService {
  /** Refills limits. Without `resource`: of every bucket of the entity; without `limitName`: every limit. */
  reset(entityId: string, selection: Selection, actor: string): Promise<void>
  /** Adds `amount` tokens once; without `amount`, all that are used. */
  topUp(entityId: string, selection: Amendment, actor: string): Promise<void>
}

type BucketDependencies = Omit<AdminDependencies, 'changed'> & { readonly limiter: Limiter }

export const createBucketService = (deps: BucketDependencies): BucketService => {
  const record = (entityId: string, action: string, what: Recorded, actor: string): Promise<void> => {
    const { resource = null, limitName = null, amount = null, meter } = what
    const after = { resource, limit_name: limitName, amount, ...(meter === 'cost_usd_micros' && { meter }) }
    return deps.store.recordAudit(
      auditRecord(deps, { actor, action, subject: entityId, before: null, after }),
    )
  }
  return {
    async reset(entityId, selection, actor) {
      await checkLimit(deps, entityId, selection)
      await deps.limiter.reset(entityId, selection)
      await record(entityId, 'bucket.reset', selection, actor)
    },
    async topUp(entityId, selection, actor) {
      const meter = await checkLimit(deps, entityId, selection)
      await deps.limiter.topUp(entityId, selection)
      await record(entityId, 'bucket.top_up', { ...selection, ...(meter && { meter }) }, actor)
    },
  }
}

/** `meter` is recorded only for money, whose amounts are micro-dollars. */
interface Recorded extends Amendment {
  readonly meter?: LimitMeter
}

/** The meter of the named limit. Without a resource, the limit may belong to any bucket of the entity. */
const checkLimit = async (
  deps: BucketDependencies,
  entityId: string,
  { resource, limitName }: Selection,
): Promise<LimitMeter | undefined> => {
  const resources =
    resource === undefined ? [undefined, ...(await limitedResources(deps, entityId))] : [resource]
  const limits = await Promise.all(resources.map((name) => deps.limiter.explain(entityId, name)))
  const named = limits.flat().find(({ limit }) => limit.name === limitName)
  if (limitName === undefined || named !== undefined) return named?.limit.meter
  const names = [...new Set(limits.flat().map(({ limit }) => limit.name))]
  throw invalid('limit_name', `be a limit of ${entityId}: ${names.join(', ')}`)
}

const limitedResources = ({ store }: BucketDependencies, id: string): Promise<readonly string[]> =>
  store.limitedResources({ kind: 'entity', id })
