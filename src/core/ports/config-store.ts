import type { Entity } from '../model/entity.ts'
import type { ApiKey } from '../model/key.ts'
import type { LimitSet, LimitSetKey } from '../model/limit-set.ts'
import type { Model } from '../model/model.ts'

/** The configuration that decisions read. All reads are strongly consistent; all throw `StoreUnavailable`. */
export interface ConfigStore {
  entity(id: string): Promise<Entity | undefined>
  /** In the order of `ids`; undefined for an unknown entity. */
  entities(ids: readonly string[]): Promise<readonly (Entity | undefined)[]>
  model(id: string): Promise<Model | undefined>
  /** In the order of `keys`; undefined for a set that was never written. */
  limitSets(keys: readonly LimitSetKey[]): Promise<readonly (LimitSet | undefined)[]>
  /** By the SHA-256 of the secret, lower-case hexadecimal. */
  apiKey(secretHash: string): Promise<ApiKey | undefined>
}
