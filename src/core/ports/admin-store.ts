import type { Alert } from '../model/alert.ts'
import type { Entity } from '../model/entity.ts'
import type { ApiKey } from '../model/key.ts'
import type { LimitOwner, LimitSet, LimitSetKey, VersionedPolicy } from '../model/limit-set.ts'
import type { Model } from '../model/model.ts'
import type { Upstream } from '../model/upstream.ts'
import type { ConfigStore } from './config-store.ts'

/** JSON in an audit record. Never contains a secret. */
export type AuditValue =
  | string
  | number
  | boolean
  | null
  | readonly AuditValue[]
  | { readonly [key: string]: AuditValue }

/** A change: its time, actor, action and subject. */
export interface AuditRecord {
  /** Unique; orders records of the same moment. */
  readonly id: string
  /** ns since the epoch */
  readonly at: bigint
  /** `admin`, `seed`, … */
  readonly actor: string
  /** `entity.create`, `limits.replace`, `key.revoke`, … */
  readonly action: string
  /** The subject of the change: an entity's id, `MODEL#gpt-4`, `ROLE#user`, `POLICY#TENANT#acme`, `SYSTEM`. */
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

/** A set of limits of a known owner. */
export interface OwnLimitSet extends LimitSet {
  readonly resource: string
}

/**
 * The configuration that administrators change and list. Every change is written together with its audit record: in a
 * transaction, or, on an engine without transactions, in an order in which a crash leaves no dangling reference (readers
 * skip a child row without its entity). An unreadable cursor throws `invalid('cursor', …)`. All throw `StoreUnavailable`.
 */
export interface AdminStore extends ConfigStore {
  /** Creates META, and the child row of the parent if it has one. */
  createEntity(entity: Entity, audit: AuditRecord): Promise<'created' | 'exists' | 'parent_missing'>
  /** Replaces META on condition that the stored version is `expectedVersion`; moves the child row if the parent changed. */
  replaceEntity(
    entity: Entity,
    expectedVersion: bigint,
    audit: AuditRecord,
  ): Promise<'replaced' | 'changed' | 'parent_missing'>
  /**
   * Removes META, child row, keys and limit sets (as tombstones); buckets and usage expire by themselves. `changed`: the stored
   * version is not `expectedVersion`; without one, any version is deleted.
   */
  deleteEntity(
    entity: Entity,
    audit: AuditRecord,
    expectedVersion?: bigint | undefined,
  ): Promise<'deleted' | 'has_children' | 'missing' | 'changed'>
  /**
   * By id, ascending. `q` selects entities whose id or name contains it, case-insensitively: first those whose id begins with
   * it, then the others. A page of a search ends after a bounded number of reads: it may contain fewer than `limit` entities,
   * or none, and still have a cursor.
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

  /*
   * Models, upstreams and alerts are replaced and deleted on condition that the stored version is `expectedVersion` (null: there
   * is none yet), else `changed` or `missing`; without one, unconditionally.
   */

  putModel(model: Model, audit: AuditRecord, expectedVersion?: bigint | null): Promise<'replaced' | 'changed'>
  deleteModel(id: string, audit: AuditRecord, expectedVersion?: bigint): Promise<'deleted' | 'missing'>
  listModels(): Promise<readonly Model[]>

  upstream(name: string): Promise<Upstream | undefined>
  putUpstream(
    upstream: Upstream,
    audit: AuditRecord,
    expectedVersion?: bigint | null,
  ): Promise<'replaced' | 'changed'>
  deleteUpstream(name: string, audit: AuditRecord, expectedVersion?: bigint): Promise<'deleted' | 'missing'>
  /** By name, ascending. */
  listUpstreams(): Promise<readonly Upstream[]>

  alert(name: string): Promise<Alert | undefined>
  putAlert(alert: Alert, audit: AuditRecord, expectedVersion?: bigint | null): Promise<'replaced' | 'changed'>
  deleteAlert(name: string, audit: AuditRecord, expectedVersion?: bigint): Promise<'deleted' | 'missing'>
  /** By name, ascending. */
  listAlerts(): Promise<readonly Alert[]>

  /** Replaces the set on condition that the stored version is `expectedVersion` (null: the set was never written). */
  putLimitSet(
    key: LimitSetKey,
    set: LimitSet,
    expectedVersion: bigint | null,
    audit: AuditRecord,
  ): Promise<'replaced' | 'changed'>
  /** The resources on which an owner has limits, without tombstones. */
  limitedResources(owner: LimitOwner): Promise<readonly string[]>
  /** The sets of an owner that have limits, by resource, ascending. */
  ownLimitSets(owner: LimitOwner): Promise<readonly OwnLimitSet[]>
  /** The roles that have limits of their own, ascending. */
  limitedRoles(): Promise<readonly string[]>

  /** Policies that have limits, ascending by scope, then by selector. */
  listPolicies(page: PageRequest): Promise<Page<VersionedPolicy>>

  /** Writes only a record, for a change outside the configuration: a reset or a top-up of buckets. */
  recordAudit(audit: AuditRecord): Promise<void>
  /** Newest first. `subject` selects the records of one subject; `from` (ns since the epoch) omits older ones. */
  listAudit(
    page: PageRequest & { readonly subject?: string; readonly from?: bigint },
  ): Promise<Page<AuditRecord>>
}
