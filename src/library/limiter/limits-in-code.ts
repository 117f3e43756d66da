import { newEntity } from '../../core/admin/entities.ts'
import { type Entity, isResource, PRIORITIES, type Priority, RESOURCE_RULE } from '../../core/model/entity.ts'
import { invalid } from '../../core/model/errors.ts'
import type { Limit } from '../../core/model/limit.ts'
import { DEFAULT_RESOURCE, type LimitSet, type LimitSetKey } from '../../core/model/limit-set.ts'
import { parseLimits } from '../../core/model/parse-limit.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import { checkChoice } from '../arguments/known-options.ts'
import type { LimitDefinition } from './limit-definition.ts'

/** Limits that an app states itself. */
export interface CodeLimits {
  /** The limits of every key. */
  readonly limits?: readonly LimitDefinition[]
  /** Limits on one resource each, such as a model; by name they stand before `limits`. `_total_`: over all resources. */
  readonly resources?: Readonly<Record<string, readonly LimitDefinition[]>>
  /** Limits of one key, such as those of its plan; by name they stand before all others. Asked again after 30 s. */
  limitsFor?(
    key: string,
  ): readonly LimitDefinition[] | undefined | Promise<readonly LimitDefinition[] | undefined>
  /** For limits with `headroom`. Default `normal`. Asked again after 30 s. */
  priorityOf?(key: string): Priority | Promise<Priority>
  /** Raise it (a whole number, 0 unless told) when you change limits: then the new ones win while old processes still run. */
  readonly revision?: number
}

/** A configuration that knows every entity, and gives it the limits of `code`. `keyOf` names the key behind an id. */
export const createConfigInCode = (
  code: CodeLimits,
  keyOf: (entityId: string) => string | undefined,
): ConfigStore => {
  const version = versionOf(code.revision)
  const defaults = defaultSets(code)
  const ownLimits = async (entityId: string): Promise<readonly Limit[] | undefined> => {
    const key = keyOf(entityId)
    const own = key === undefined ? undefined : await code.limitsFor?.(key)
    return own && parseLimits(own, 'limitsFor()')
  }
  const limitsAt = async ({ owner, resource }: LimitSetKey): Promise<readonly Limit[] | undefined> => {
    if (owner.kind === 'system') return defaults.get(resource)
    return owner.kind === 'entity' && resource === DEFAULT_RESOURCE ? ownLimits(owner.id) : undefined
  }
  const limitSet = async (key: LimitSetKey): Promise<LimitSet | undefined> => {
    const limits = await limitsAt(key)
    return limits && { limits, version }
  }
  const entity = async (id: string): Promise<Entity> => {
    const key = keyOf(id)
    const priority = key === undefined ? undefined : await code.priorityOf?.(key)
    checkChoice(priority, PRIORITIES, 'priorityOf()')
    return newEntity({ id, name: id, kind: 'key', ...(priority && { priority }) }, 0n)
  }
  return {
    entity,
    entities: (ids) => Promise.all(ids.map(entity)),
    model: async () => undefined,
    limitSets: (keys) => Promise.all(keys.map(limitSet)),
    apiKey: async () => undefined,
  }
}

const EXAMPLE = "for example limits: [{ name: 'rpm', capacity: 60, refill_rate: 1 }]"

const defaultSets = (code: CodeLimits): ReadonlyMap<string, readonly Limit[]> => {
  const { limits = [], resources = {} } = code
  if (code.limits === undefined && code.resources === undefined && code.limitsFor === undefined) {
    throw invalid('limits', `be given, or resources, or limitsFor; ${EXAMPLE}`)
  }
  if (typeof resources !== 'object' || resources === null || Array.isArray(resources)) {
    throw invalid('resources', 'be an object of lists of limits by resource')
  }
  const unknown = Object.keys(resources).find((resource) => !isResource(resource))
  if (unknown !== undefined) throw invalid(`resources.${unknown}`, RESOURCE_RULE)
  const named = Object.entries(resources).map(
    ([resource, own]) => [resource, parseLimits(own, `resources.${resource}`)] as const,
  )
  return new Map([[DEFAULT_RESOURCE, parseLimits(limits, 'limits')], ...named])
}

const versionOf = (revision = 0): bigint => {
  if (!Number.isSafeInteger(revision) || revision < 0) {
    throw invalid('revision', 'be a whole number of at least 0')
  }
  return BigInt(revision)
}
