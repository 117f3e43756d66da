import type { Entity } from '../../core/model/entity.ts'
import type { ApiKey } from '../../core/model/key.ts'
import type { LimitSet, LimitSetKey } from '../../core/model/limit-set.ts'
import type { Model } from '../../core/model/model.ts'
import type { AuditRecord } from '../../core/ports/admin-store.ts'

/** What the memory adapter keeps. Each change runs in one turn of the event loop, so all of it happens or none. */
export interface MemoryTables {
  readonly entities: Map<string, Entity>
  /** By the SHA-256 of the secret. */
  readonly apiKeys: Map<string, ApiKey>
  readonly models: Map<string, Model>
  /** By `limitSetText`. */
  readonly limitSets: Map<string, { readonly key: LimitSetKey; readonly set: LimitSet }>
  readonly audit: AuditRecord[]
}

export const createMemoryTables = (): MemoryTables => ({
  entities: new Map(),
  apiKeys: new Map(),
  models: new Map(),
  limitSets: new Map(),
  audit: [],
})

/** As the table sorts text: by code units, which is by bytes for all that an id may hold. */
export const byText = (a: string, b: string): number => {
  if (a === b) return 0
  return a < b ? -1 : 1
}
