import type { Entity } from '../model/entity.ts'
import type { ConfigReads } from './config-cache.ts'

/** A chain of parents longer than this is cut, and one that comes back to itself ends there: the admin service makes none. */
const MAX_ANCESTORS = 32

/** Entities above this one, nearest first. */
export const ancestorsOf = async (
  reads: Pick<ConfigReads, 'entity'>,
  entity: Entity,
): Promise<readonly Entity[]> => {
  const met = [entity]
  let child = entity
  while (child.parentId !== null && met.length <= MAX_ANCESTORS) {
    const parent = await reads.entity(child.parentId)
    if (!parent || met.some(({ id }) => id === parent.id)) break
    met.push(parent)
    child = parent
  }
  return met.slice(1)
}

/** Those of its ancestors whose own limits bind an entity: up to the first that does not cascade. */
export const bindingParents = (entity: Entity, ancestors: readonly Entity[]): readonly Entity[] => {
  const last = [entity, ...ancestors].findIndex(({ cascade }) => !cascade)
  return last < 0 ? ancestors : ancestors.slice(0, last)
}

/** The tenant whose policy binds an entity: itself or its nearest ancestor of kind `tenant`, cascading or not. */
export const tenantOf = (entity: Entity, ancestors: readonly Entity[]): string | undefined =>
  [entity, ...ancestors].find(({ kind }) => kind === 'tenant')?.id
