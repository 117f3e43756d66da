import type { Entity } from '../model/entity.ts'
import type { ApiKey } from '../model/key.ts'
import type { LimitOwner, LimitSet, LimitSetKey, Policy } from '../model/limit-set.ts'
import type { Model } from '../model/model.ts'
import type { ConfigStore } from './config-store.ts'

/** JSON as it is stored in an audit record. Never holds a secret. */
export type AuditValue =
  | string
  | number
  | boolean
  | null
  | readonly AuditValue[]
  | { readonly [key: string]: AuditValue }

/** Who changed what. */
export interface AuditRecord {
  /** Unique; orders records of the same moment. */
  readonly id: string
  /** ns since the epoch */
  readonly at: bigint
  /** `admin`, `seed`, … */
  readonly actor: string
  /** `entity.create`, `limits.replace`, `key.revoke`, … */
  readonly action: string
  /** What was changed: an entity's id, `MODEL#gpt-4`, `ROLE#user`, `POLICY#TENANT#acme`, `SYSTEM`. */
  readonly subject: string
  readonly before: AuditValue
  readonly after: AuditValue
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Opaque; null on the last page. */
  readonly nextCursor: string | null
}

export interface PageRequest {
  readonly limit: number
  readonly cursor?: string
}

/**
 * What administrators change and list. Every change is written together with its audit record: as a transaction, or,
 * on an engine without them, in an order in which a crash leaves nothing dangling (a child row without its entity is
 * skipped by readers). An unreadable cursor throws `invalid('cursor', …)`. All throw `StoreUnavailable`.
 */
export interface AdminStore extends ConfigStore {
  /** Makes META, and the child row of the parent where it has one. */
  createEntity(entity: Entity, audit: AuditRecord): Promise<'created' | 'exists' | 'parent_missing'>
  /** Replaces META on condition that the stored version is `expectedVersion`; moves the child row where the parent changed. */
  replaceEntity(
    entity: Entity,
    expectedVersion: bigint,
    audit: AuditRecord,
  ): Promise<'replaced' | 'changed' | 'parent_missing'>
  /** Removes META, child row, keys and limit sets (as tombstones); buckets and usage expire by themselves. */
  deleteEntity(entity: Entity, audit: AuditRecord): Promise<'deleted' | 'has_children' | 'missing'>
  /**
   * By id, ascending. `q` keeps those whose id or name contains it, case-insensitively: first those whose id begins with it,
   * then the others. A page of a search ends after a bounded number of reads: it may hold fewer than `limit`, or none, and
   * still have a cursor.
   */
  listEntities(page: PageRequest & { readonly q?: string }): Promise<Page<Entity>>
  children(id: string): Promise<readonly string[]>

  putKey(key: ApiKey, secretHash: string, audit: AuditRecord): Promise<'created' | 'exists'>
  listKeys(entityId: string): Promise<readonly ApiKey[]>
  /** Replaces status and expiry. `replacement` is created together with it (rotation). */
  updateKey(
    key: ApiKey,
    audit: AuditRecord,
    replacement?: { readonly key: ApiKey; readonly secretHash: string },
  ): Promise<'updated' | 'missing' | 'exists'>

  putModel(model: Model, audit: AuditRecord): Promise<void>
  deleteModel(id: string, audit: AuditRecord): Promise<'deleted' | 'missing'>
  listModels(): Promise<readonly Model[]>

  /** Replaces the set on condition that the stored version is `expectedVersion` (null: nothing was ever set). */
  putLimitSet(
    key: LimitSetKey,
    set: LimitSet,
    expectedVersion: bigint | null,
    audit: AuditRecord,
  ): Promise<'replaced' | 'changed'>
  /** The resources on which an owner has limits (tombstones left out). */
  limitedResources(owner: LimitOwner): Promise<readonly string[]>

  /** Policies that have limits, by scope and then by selector, ascending. */
  listPolicies(page: PageRequest): Promise<Page<Policy>>

  /** Writes a record by itself, of a change that is not in the configuration: buckets reset or topped up. */
  recordAudit(audit: AuditRecord): Promise<void>
  /** Newest first; `subject` keeps one entity's (or `MODEL#…`) records; `from` drops older ones (ns since the epoch). */
  listAudit(
    page: PageRequest & { readonly subject?: string; readonly from?: bigint },
  ): Promise<Page<AuditRecord>>
}
