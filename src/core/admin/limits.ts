import { ID_RULE, isId, isResource, RESOURCE_RULE } from '../model/entity.ts'
import { invalid } from '../model/errors.ts'
import { limitToJson } from '../model/json.ts'
import { type Limit, MAX_CONCURRENCY_LIMITS, MAX_LIMITS, MAX_SLIDING_WINDOWS } from '../model/limit.ts'
import {
  DEFAULT_RESOURCE,
  type LimitOwner,
  type LimitSet,
  type LimitSetKey,
  limitSetText,
  ownerText,
  policyLimitSet,
  TOTAL_RESOURCE,
} from '../model/limit-set.ts'
import { EVERY_NAME, isNameScope } from '../model/policy.ts'
import { larger } from '../model/time.ts'
import type { AuditValue } from '../ports/admin-store.ts'
import { areTooMany } from '../resolve/effective-limits.ts'
import { callerKeys, defaultsKeys, layerOf } from '../resolve/layers.ts'
import {
  type AdminDependencies,
  auditRecord,
  type ConfigChange,
  nextVersion,
  untilUnchanged,
} from './audit.ts'
import { getEntity } from './entities.ts'
import { checkPrecondition, type Precondition, versionOf } from './precondition.ts'

/**
 * An owner's own limits, per resource. All methods throw `not_found` for an unknown entity, `invalid_request` for an invalid
 * resource or role, and `StoreUnavailable`.
 */
export interface LimitSetService {
  /** The owner's own limits, without inherited ones. */
  get(key: LimitSetKey): Promise<readonly Limit[]>
  /** The same with their version; of one that was never written, it is 0. */
  read(key: LimitSetKey): Promise<LimitSet>
  /**
   * Replaces the owner's limits; with none, the inherited limits apply again. Returns the set's version. Throws
   * `precondition_failed` unless the stored set meets the precondition: nothing can change it between the check and the write.
   */
  replace(
    key: LimitSetKey,
    limits: readonly Limit[],
    actor: string,
    precondition?: Precondition,
  ): Promise<bigint>
  /** Replaces the owner's limits with the result of `edit`, which is called again after a concurrent change. */
  change(key: LimitSetKey, edit: (limits: readonly Limit[]) => readonly Limit[], actor: string): Promise<void>
  /** As `replace`, but writes nothing if the limits are already set. Returns whether it wrote. */
  ensure(key: LimitSetKey, limits: readonly Limit[], actor: string): Promise<boolean>
}

export const createLimitSetService = (deps: AdminDependencies): LimitSetService => ({
  get: async (key) => (await readSet(deps, key)).limits,
  read: (key) => readSet(deps, key),
  replace: async (key, limits, actor, precondition = {}) => {
    await checkKey(deps, key)
    const edit = (before: LimitSet | undefined): readonly Limit[] => {
      checkPrecondition(before, precondition)
      return limits
    }
    const version = await untilUnchanged(() => editLimits(deps, key, edit, actor))
    deps.changed(changeOf(key.owner))
    return version
  },
  change: async (key, edit, actor) => {
    await checkKey(deps, key)
    await untilUnchanged(() => editLimits(deps, key, (before) => edit(before?.limits ?? []), actor))
    deps.changed(changeOf(key.owner))
  },
  ensure: async (key, limits, actor) => {
    await checkKey(deps, key)
    const isWritten = await untilUnchanged(() => ensureLimits(deps, key, limits, actor))
    if (isWritten) deps.changed(changeOf(key.owner))
    return isWritten
  },
})

const ensureLimits = async (
  deps: AdminDependencies,
  key: LimitSetKey,
  limits: readonly Limit[],
  actor: string,
): Promise<boolean | 'changed'> => {
  const [before] = await deps.store.limitSets([key])
  if (sameLimits(before?.limits ?? [], limits)) return false
  await checkTogether(deps, key, limits)
  return (await writeLimits(deps, key, { before, limits, actor })) === 'changed' ? 'changed' : true
}

const sameLimits = (a: readonly Limit[], b: readonly Limit[]): boolean =>
  JSON.stringify(a.map(limitToJson)) === JSON.stringify(b.map(limitToJson))

const readSet = async (deps: AdminDependencies, key: LimitSetKey): Promise<LimitSet> => {
  await checkKey(deps, key)
  const [stored] = await deps.store.limitSets([key])
  return stored ?? { limits: [], version: versionOf(stored) }
}

/** Returns the set's version. */
const editLimits = async (
  deps: AdminDependencies,
  key: LimitSetKey,
  edit: (before: LimitSet | undefined) => readonly Limit[],
  actor: string,
): Promise<bigint | 'changed'> => {
  const [before] = await deps.store.limitSets([key])
  const limits = edit(before)
  const wasEmpty = before === undefined || before.limits.length === 0
  if (wasEmpty && limits.length === 0) return versionOf(before)
  await checkTogether(deps, key, limits)
  return writeLimits(deps, key, { before, limits, actor })
}

interface Change {
  readonly before: LimitSet | undefined
  readonly limits: readonly Limit[]
  readonly actor: string
}

/** Writes on condition that the set has not changed since `before` was read. Returns the version. */
const writeLimits = async (
  deps: AdminDependencies,
  key: LimitSetKey,
  { before, limits, actor }: Change,
): Promise<bigint | 'changed'> => {
  const expected = before?.version ?? null
  const audit = auditRecord(deps, {
    actor,
    action: limits.length === 0 ? 'limits.delete' : 'limits.replace',
    subject: subjectOf(key.owner),
    before: auditValue(key, before?.limits ?? []),
    after: auditValue(key, limits),
  })
  const version = nextVersion(deps.clock.now(), await laterVersion(deps, key, expected))
  const set = { limits, version, ...kept(key, before, version) }
  const result = await deps.store.putLimitSet(key, set, expected, audit)
  return result === 'changed' ? result : version
}

/** The version that a change must exceed: a name's policy and the one of all names share its bucket. */
const laterVersion = async (
  { store }: AdminDependencies,
  { owner }: LimitSetKey,
  expected: bigint | null,
): Promise<bigint | null> => {
  if (owner.kind !== 'policy' || !isNameScope(owner.scope) || owner.selector === EVERY_NAME) return expected
  const [every] = await store.limitSets([policyLimitSet({ scope: owner.scope, selector: EVERY_NAME })])
  return every === undefined ? expected : larger(expected ?? 0n, every.version)
}

/** The fields of policies on names that a change of their limits keeps. A policy that did not exist applies from now on. */
const kept = (
  { owner }: LimitSetKey,
  before: LimitSet | undefined,
  version: bigint,
): Pick<LimitSet, 'since' | 'hasNames'> => {
  if (owner.kind !== 'policy' || !isNameScope(owner.scope)) return {}
  const since = before === undefined || before.limits.length === 0 ? version : before.since
  return { ...(since !== undefined && { since }), ...(before?.hasNames && { hasNames: true }) }
}

const checkKey = async (deps: AdminDependencies, { owner, resource }: LimitSetKey): Promise<void> => {
  if (!isResource(resource)) throw invalid('resource', RESOURCE_RULE)
  if (owner.kind === 'role' && !isId(owner.role)) throw invalid('role', ID_RULE)
  if (owner.kind === 'entity') await getEntity(deps, owner.id)
}

/**
 * Throws `invalid_request` if the limits exceed the bounds of one bucket together with the limits that they inherit, or with
 * the owner's own limits on the resources that inherit them. A role's or the system's are not checked against the limits of
 * every entity.
 */
const checkTogether = async (
  deps: AdminDependencies,
  key: LimitSetKey,
  limits: readonly Limit[],
): Promise<void> => {
  if (limits.length === 0 || key.owner.kind === 'policy') return
  for (const resource of await resourcesOf(deps, key)) {
    const keys = await keysOf(deps, key.owner, resource)
    const stored = await deps.store.limitSets(keys)
    const layers = keys.map((each, index) =>
      layerOf(each, limitSetText(each) === limitSetText(key) ? { limits, version: 0n } : stored[index]),
    )
    if (areTooMany(layers)) {
      const most = `${MAX_LIMITS} limits, ${MAX_SLIDING_WINDOWS} of them of algorithm sliding_window and ${MAX_CONCURRENCY_LIMITS} of algorithm concurrency`
      throw invalid('limits', `be at most ${most}, effective on ${resource} together with inherited ones`)
    }
  }
}

/** The resources to which a set applies and on which its owner has limits. */
const resourcesOf = async ({ store }: AdminDependencies, { owner, resource }: LimitSetKey) => {
  if (resource !== DEFAULT_RESOURCE) return [resource]
  const limited = await store.limitedResources(owner)
  return [resource, ...limited.filter((each) => each !== resource && each !== TOTAL_RESOURCE)]
}

const keysOf = async (
  deps: AdminDependencies,
  owner: Exclude<LimitOwner, { readonly kind: 'policy' }>,
  resource: string,
): Promise<readonly LimitSetKey[]> =>
  owner.kind === 'entity'
    ? callerKeys(await getEntity(deps, owner.id), resource)
    : defaultsKeys(owner, resource)

const auditValue = ({ resource }: LimitSetKey, limits: readonly Limit[]): AuditValue => ({
  resource,
  limits: limits.map(limitToJson),
})

const subjectOf = (owner: LimitOwner): string => (owner.kind === 'entity' ? owner.id : ownerText(owner))

const changeOf = (owner: LimitOwner): ConfigChange =>
  owner.kind === 'entity' ? { entityId: owner.id } : { all: true }
