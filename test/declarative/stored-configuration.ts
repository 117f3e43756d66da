import { type DeclaredItems, type Item, keyOf, type StoredItem } from '../../src/declarative/items.ts'
import type { Change, Plan } from '../../src/declarative/plan.ts'

/** Items as zael stores them once a file has been applied to nothing. */
export const storedOf = ({ items }: DeclaredItems): readonly StoredItem[] =>
  items.flatMap(({ kind, id, value, isAbsent }) =>
    isAbsent ? [] : [{ kind, id, value, etag: '"1"', isFixed: false }],
  )

/**
 * Makes the changes of a plan one by one, with the rules of the API: references name what exists, nothing that is referred to is
 * deleted, no entity is below itself, and each change is based on the current ETag. Throws where the API would respond with an
 * error.
 */
export const applied = (stored: readonly StoredItem[], { changes }: Plan): readonly StoredItem[] => {
  const items = new Map(stored.map((item) => [keyOf(item), item]))
  for (const [index, change] of changes.entries()) {
    make(items, change, `"change-${index}"`)
    check(items)
  }
  return [...items.values()]
}

type Items = Map<string, StoredItem>

const make = (items: Items, change: Change, etag: string): void => {
  const key = keyOf(change)
  const before = items.get(key)
  if (change.does === 'create' && before !== undefined) throw new Error(`${key} exists`)
  if (change.does !== 'create' && before?.etag !== change.etag) throw new Error(`${key} is stale`)
  if (change.does !== 'delete') {
    const { kind, id, after: value } = change
    items.set(key, { kind, id, value, etag, isFixed: false })
    return
  }
  items.delete(key)
  if (change.kind !== 'entity') return
  for (const [owned, { kind, id }] of items)
    if (kind === 'limits' && id.startsWith(`${change.id}/`)) items.delete(owned)
}

const check = (items: Items): void => {
  for (const item of items.values()) {
    for (const reference of referencesOf(item)) {
      if (!items.has(reference)) throw new Error(`${keyOf(item)} refers to ${reference}`)
    }
    if (item.kind === 'entity') checkAncestors(items, item)
  }
}

const checkAncestors = (items: Items, entity: StoredItem): void => {
  let at: StoredItem | undefined = entity
  for (let depth = 0; at !== undefined; depth += 1) {
    if (depth > 40) throw new Error(`${entity.id} is below itself`)
    const [parent]: readonly string[] = referencesOf(at)
    at = parent === undefined ? undefined : items.get(parent)
  }
}

const referencesOf = ({ kind, id, value }: Item): readonly string[] => {
  if (kind === 'limits') return [`entity ${id.slice(0, id.indexOf('/'))}`]
  if (typeof value !== 'object' || value === null) return []
  if (kind === 'entity') return 'parent_id' in value ? [`entity ${String(value.parent_id)}`] : []
  if (kind !== 'model' || !('upstreams' in value) || !Array.isArray(value.upstreams)) return []
  return value.upstreams.map(({ upstream }) => `upstream ${upstream}`)
}
