import type { Entity } from './entity.ts'

/** The models that an entity may use, given those that it and each of its ancestors allow; null: all. */
export const allowedModels = (family: readonly Pick<Entity, 'models'>[]): Entity['models'] =>
  family.reduce<Entity['models']>((allowed, { models }) => {
    if (allowed === null || models === null) return allowed ?? models
    return allowed.filter((id) => models.includes(id))
  }, null)
