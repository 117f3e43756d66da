import type { LimitDefinition } from '../../contract/limit-sizes.ts'
import { parseLimits } from '../../contract/limits.ts'
import { newEntity } from '../../core/admin/entities.ts'
import {
  type Entity,
  ID_RULE,
  isId,
  isResource,
  PRIORITIES,
  type Priority,
  RESOURCE_RULE,
} from '../../core/model/entity.ts'
import { invalid } from '../../core/model/errors.ts'
import type { Limit } from '../../core/model/limit.ts'
import { DEFAULT_RESOURCE, type LimitSet, type LimitSetKey } from '../../core/model/limit-set.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import type { Logger } from '../../core/ports/platform.ts'
import { sha256 } from '../../platform/runtime.ts'
import { checkChoice, invalidArgument } from '../arguments.ts'
import type { LimiterStore } from '../stores/memory-store.ts'

/** Limits in the code of an app. */
export interface CodeLimits {
  /** Limits of every key. */
  readonly limits?: readonly LimitDefinition[]
  /** Limits by resource, such as a model; they override `limits` of the same name. `_total_`: over all resources. */
  readonly resources?: Readonly<Record<string, readonly LimitDefinition[]>>
  /** Limits by the role of a caller's token (`byJwt`); they override `limits` and `resources` of the same name. */
  readonly roles?: Readonly<Record<string, readonly LimitDefinition[]>>
  /** Limits of one key, such as those of its price plan; they override all others of the same name. Cached for 30 s. */
  limitsFor?(
    key: string,
  ): readonly LimitDefinition[] | undefined | Promise<readonly LimitDefinition[] | undefined>
  /** For limits with `headroom`. Default `normal`. Cached for 30 s. */
  priorityOf?(key: string): Priority | Promise<Priority>
  /** Increase it (a whole number, default 0) when you change limits: the new ones then apply while old processes still run. */
  readonly revision?: number
}

/** A configuration in which every entity exists and has the limits of `code`. `keyOf` returns the key of an id. */
export const createConfigInCode = (
  code: CodeLimits,
  keyOf: (entityId: string) => string | undefined,
): ConfigStore => {
  const version = versionOf(code.revision)
  const defaults = defaultSets(code)
  const roles = roleSets(code)
  const ownLimits = async (entityId: string): Promise<readonly Limit[] | undefined> => {
    const key = keyOf(entityId)
    const own = key === undefined ? undefined : await code.limitsFor?.(key)
    return own && parseLimits(own, 'limitsFor()')
  }
  const limitsAt = async ({ owner, resource }: LimitSetKey): Promise<readonly Limit[] | undefined> => {
    if (owner.kind === 'system') return defaults.get(resource)
    if (owner.kind === 'role') return resource === DEFAULT_RESOURCE ? roles.get(owner.role) : undefined
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

const EXAMPLE = "for example limits: [{ name: 'rpm', limit: 60, per: 'minute' }]"

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

const roleSets = ({ roles = {} }: CodeLimits): ReadonlyMap<string, readonly Limit[]> => {
  if (typeof roles !== 'object' || roles === null || Array.isArray(roles))
    throw invalid('roles', 'be an object of lists of limits by role')
  const wrong = Object.keys(roles).find((role) => !isId(role))
  if (wrong !== undefined) throw invalid(`roles.${wrong}`, ID_RULE)
  return new Map(Object.entries(roles).map(([role, own]) => [role, parseLimits(own, `roles.${role}`)]))
}

const versionOf = (revision = 0): bigint => {
  if (!Number.isSafeInteger(revision) || revision < 0) {
    throw invalid('revision', 'be a whole number of at least 0')
  }
  return BigInt(revision)
}

/** The key of an entity's id, which may be a hash, while a decision about it is made. */
export interface KeysInDecision {
  keyOf(entityId: string): string | undefined
  /** Runs `decide`; until it ends, `keyOf(entityId)` returns `key`. */
  during<T>(entityId: string, key: string, decide: () => Promise<T>): Promise<T>
}

interface KeyInDecision {
  readonly key: string
  count: number
}

export const createKeysInDecision = (): KeysInDecision => {
  const entries = new Map<string, KeyInDecision>()
  return {
    keyOf: (entityId) => entries.get(entityId)?.key,
    async during(entityId, key, decide) {
      const entry = entries.get(entityId) ?? { key, count: 0 }
      entry.count++
      entries.set(entityId, entry)
      try {
        return await decide()
      } finally {
        entry.count--
        if (entry.count === 0) entries.delete(entityId)
      }
    },
  }
}

const HASHED = 'sha256:'

/** Leaves room for a hash: 48 + 1 + 7 + 64 characters are 120 of 128. */
const LONGEST_NAME = 48

/** Maps a key, which is any text, to the id of an entity. */
export type EntityIds = (key: string) => string

/**
 * Ids of the form `<name>:<key>`: limiters with other names, and the entities of a deployed zael, have other buckets. A key
 * that is a valid id stays readable (`app:2001:db8:1:2`); any other is hashed. So is a key that looks like a hash, so that no
 * key can be chosen to share the bucket of another. Throws `TypeError` for an empty key.
 */
export const createEntityIds = (name: string): EntityIds => {
  if (typeof name !== 'string' || !isId(name) || name.length > LONGEST_NAME) {
    throw invalid('name', `be 1 to ${LONGEST_NAME} of A-Z a-z 0-9 . _ : @ - and begin with a letter or digit`)
  }
  return (key) => {
    if (key === '') throw invalidArgument('key', 'not be empty')
    const id = `${name}:${key}`
    return isId(id) && !key.startsWith(HASHED) ? id : `${name}:${HASHED}${sha256(key)}`
  }
}

export const DEFAULT_NAME = 'app'

/**
 * Stores on which a limiter has the default name, by their buckets, which a copy of a store shares. Names are not derived: a
 * name derived from the limits would give a changed limit full buckets; one derived from the position in the code would swap
 * buckets when a deployment reorders it.
 */
const claimed = new WeakSet<LimiterStore['buckets']>()

/** Number of limiters with the default name per table, each on its own store. Not an error: several processes do the same. */
const claimedTables = new Map<string, number>()

/**
 * Claims the default name on a store. Throws `ZaelError('invalid_request')` if it is taken; logs a warning if it is taken on
 * another store of the same table. Returns a function that frees it.
 */
export const claimDefaultName = ({ buckets, table }: LimiterStore, logger: Logger): (() => void) => {
  if (claimed.has(buckets)) {
    throw invalid(
      'name',
      'be given: another limiter on this store has none, and they would share their buckets; for example ' +
        "name: 'login', or one name for both if sharing is intended",
    )
  }
  claimed.add(buckets)
  const before = countClaims(table, 1)
  if (before > 0) logger.warn('limiters without a name share their buckets', { table, hint: HINT })
  let isClaimed = true
  return () => {
    if (!isClaimed) return
    isClaimed = false
    claimed.delete(buckets)
    countClaims(table, -1)
  }
}

const HINT = 'give each limiter a name, or one name for all if sharing is intended'

/** Returns the count before. */
const countClaims = (table: string | undefined, by: number): number => {
  if (table === undefined) return 0
  const before = claimedTables.get(table) ?? 0
  if (before + by > 0) claimedTables.set(table, before + by)
  else claimedTables.delete(table)
  return before
}
