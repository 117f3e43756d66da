import { isDeepStrictEqual } from 'node:util'
import { CONFIGURED_KINDS, type ConfiguredKind } from '../contract/configuration.ts'
import type { LocatedFault } from '../contract/parse.ts'
import type { JsonValue } from '../core/model/json.ts'
import { createFamily, type Family } from './family.ts'
import { faultsTogether } from './faults.ts'
import {
  byText,
  type DeclaredItem,
  type DeclaredItems,
  fieldsOf,
  keyOf,
  type StoredItem,
  scopeOf,
} from './items.ts'

/** One item to create, to change or to delete. */
export type Change = ChangedItem &
  (
    | { readonly does: 'create'; readonly before: null; readonly after: JsonValue; readonly etag: null }
    | {
        readonly does: 'change'
        readonly before: JsonValue
        readonly after: JsonValue
        readonly etag: string
      }
    | { readonly does: 'delete'; readonly before: JsonValue; readonly after: null; readonly etag: string }
  )

interface ChangedItem {
  readonly kind: ConfiguredKind
  readonly id: string
  /** Changes of one step are independent of each other, and depend only on those of earlier steps. From 0 on, ascending. */
  readonly step: number
}

/** What turns the stored configuration into the declared one. */
export interface Plan {
  /** In the order in which they are applied. */
  readonly changes: readonly Change[]
  /** Items that the file does not contain, in mappings that it contains, and that stay: without `prune`. */
  readonly extra: readonly StoredItem[]
}

export interface PlanOptions {
  /** Whether to delete what the file does not contain, in the mappings that it contains. */
  readonly prune: boolean
}

/**
 * The plan, or why there is none: faults of the file in view of what is stored. Pure; the order of the items has no effect.
 */
export const planOf = (
  stored: readonly StoredItem[],
  declared: DeclaredItems,
  { prune }: PlanOptions,
): { readonly plan: Plan } | { readonly faults: readonly LocatedFault[] } => {
  const existing = new Map(stored.map((item) => [keyOf(item), item]))
  const desired = declared.items.map((item) => withKept(item, existing.get(keyOf(item))))
  const extra = extraItems(stored, { ...declared, items: desired })
  const family = createFamily(stored, desired)
  const faults = faultsTogether({ stored, desired, pruned: prune ? extra : [], family })
  if (faults.length > 0) return { faults }
  const changes = [
    ...desired.flatMap((item) => changeOf(item, existing.get(keyOf(item)))),
    ...(prune ? withoutOwned(extra).map(deletionOf) : []),
  ]
  return { plan: { changes: inOrder(changes, family), extra: prune ? [] : extra } }
}

/** A declared item with the fields that stay as they are. */
const withKept = (item: DeclaredItem, stored: StoredItem | undefined): DeclaredItem => {
  const kept = (item.keeps ?? []).flatMap((field) => {
    const value = fieldsOf(stored?.value)[field]
    return value === undefined ? [] : [[field, value] as const]
  })
  return kept.length === 0
    ? item
    : { ...item, value: { ...fieldsOf(item.value), ...Object.fromEntries(kept) } }
}

/** The stored items that the file could contain and does not. Those that the environment sets are not stored. */
const extraItems = (
  stored: readonly StoredItem[],
  { items, scopes }: DeclaredItems,
): readonly StoredItem[] => {
  const declared = new Set(items.map(keyOf))
  return stored
    .filter((item) => !item.isFixed && scopes.has(scopeOf(item)) && !declared.has(keyOf(item)))
    .sort((a, b) => byText(keyOf(a), keyOf(b)))
}

/** Without the limits of entities that are deleted: they are deleted with the entity. */
const withoutOwned = (items: readonly StoredItem[]): readonly StoredItem[] => {
  const entities = new Set(items.flatMap(({ kind, id }) => (kind === 'entity' ? [`limits ${id}`] : [])))
  return items.filter((item) => !entities.has(scopeOf(item)))
}

type Unordered<T = Change> = T extends Change ? Omit<T, 'step'> : never

const changeOf = (
  { kind, id, value, isAbsent }: DeclaredItem,
  stored: StoredItem | undefined,
): readonly Unordered[] => {
  if (isAbsent) return stored === undefined ? [] : [deletionOf(stored)]
  if (stored === undefined) return [{ does: 'create', kind, id, before: null, after: value, etag: null }]
  if (isDeepStrictEqual(stored.value, value)) return []
  return [{ does: 'change', kind, id, before: stored.value, after: value, etag: stored.etag }]
}

const deletionOf = ({ kind, id, value, etag }: StoredItem): Unordered => ({
  does: 'delete',
  kind,
  id,
  before: value,
  after: null,
  etag,
})

/**
 * First what is created or changed, by kind, parents before their children; then what is deleted, in the reverse order. So
 * nothing ever refers to something that does not exist.
 */
const inOrder = (changes: readonly Unordered[], family: Family): readonly Change[] => {
  const ranked = changes
    .map((change) => ({ change, rank: rankOf(change, family) }))
    .sort((a, b) => a.rank - b.rank || byText(keyOf(a.change), keyOf(b.change)))
  const ranks = [...new Set(ranked.map(({ rank }) => rank))]
  return ranked.map(({ change, rank }) => ({ ...change, step: ranks.indexOf(rank) }))
}

/** More than an entity has ancestors. */
const DEPTHS = 1000

const rankOf = ({ does, kind, id }: Unordered, family: Family): number => {
  const place = CONFIGURED_KINDS.indexOf(kind)
  if (does === 'delete') {
    const depth = kind === 'entity' ? family.storedDepth(id) : 0
    return DEPTHS * (2 * CONFIGURED_KINDS.length - place) - depth
  }
  return DEPTHS * place + (kind === 'entity' ? family.desiredDepth(id) : 0)
}
