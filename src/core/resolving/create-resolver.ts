import { DEFAULT_RESOURCE, type Limit } from '../limit/limit.ts'
import type { PolicySubject } from '../policy/applicable-policies.ts'
import { resolvePolicies } from '../policy/policy-plans.ts'
import type { CacheFactory } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { Plans } from './bucket-plan.ts'
import { createCachedConfig } from './cached-config.ts'
import { prepareResolving } from './prepare-resolving.ts'
import { createRemembered } from './remembered.ts'
import { type Resolution, type ResolutionTarget, resolveBuckets } from './resolve-buckets.ts'
import { createSharing } from './shared-algorithms.ts'

/** Which buckets and limits apply to a request, remembered. */
export interface Resolver {
  /**
   * What applies to an entity on a resource, from reads no older than `maxAgeNs`.
   * Throws `ZaelError('not_found')` for an unknown entity, `StoreUnavailable` where nothing is known and the store is away.
   */
  resolve(target: ResolutionTarget, maxAgeNs: bigint): Promise<Resolution>
  /** The same where it is known; undefined where it is to be read. */
  peek(target: ResolutionTarget, maxAgeNs: bigint): Resolution | undefined
  /** Reads what `resolve` needs for many entities on `_default_` in few calls; those that are not there are passed over. */
  prepare(entityIds: readonly string[], maxAgeNs: bigint): Promise<void>
  /** The policies that apply, whatever entity asks. Throws `StoreUnavailable` likewise. */
  resolvePolicies(subject: PolicySubject, maxAgeNs: bigint): Promise<Plans>
  /** Drops all that is known: this process has just changed something. */
  forget(): void
}

export interface ResolverDependencies {
  readonly config: ConfigStore
  readonly clock: Clock
  readonly newCache: CacheFactory
  /** Limits of the environment, below everything that is in the table. */
  readonly defaults: readonly Limit[]
}

/** Requests of different kinds (entity, resource, user, …) whose buckets are kept in memory. */
const MAX_RESOLUTIONS = 20_000

export const createResolver = ({ config, clock, newCache, defaults }: ResolverDependencies): Resolver => {
  const items = createCachedConfig(config, clock, newCache)
  const resolutions = createRemembered<Resolution>(items, clock, newCache, MAX_RESOLUTIONS)
  const policies = createRemembered<Plans>(items, clock, newCache, MAX_RESOLUTIONS)
  const sharing = createSharing(newCache)
  return {
    resolve: (target, maxAgeNs) =>
      resolutions.get(targetText(target), maxAgeNs, async (reads) => {
        const resolution = await resolveBuckets(reads, { ...target, defaults })
        const [own, ...others] = resolution.plans
        return { ...resolution, plans: [sharing(own), ...others.map(sharing)] }
      }),
    prepare: (entityIds, maxAgeNs) => prepareResolving(items.open(maxAgeNs), entityIds),
    peek: (target, maxAgeNs) => resolutions.peek(targetText(target), maxAgeNs),
    resolvePolicies: (subject, maxAgeNs) =>
      policies.get(subjectText(subject), maxAgeNs, async (reads) => ({
        plans: (await resolvePolicies(reads, subject)).map(sharing),
      })),
    forget() {
      items.forget()
      resolutions.forget()
      policies.forget()
    },
  }
}

/** A text that no two targets share: no id holds a `#`, and `user`, which may be any text, stands last. */
const targetText = ({ entityId, resource = DEFAULT_RESOURCE, user, context }: ResolutionTarget): string => {
  const named = `${entityId}#${resource}`
  if (user === undefined && context === undefined) return named
  const { tenant = '', model = '', tier = '' } = context ?? {}
  return `${named}#${tenant}#${model}#${tier}#${user ?? ''}`
}

const subjectText = ({ apiKey = '', tenant = '', model = '', tier = '', user = '' }: PolicySubject): string =>
  `${apiKey}#${tenant}#${model}#${tier}#${user}`
