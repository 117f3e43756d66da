import { Document, isMap, visit } from 'yaml'
import type { JsonObject, JsonValue } from '../core/model/json.ts'
import { byText, fieldsOf, type Item, type StoredItem, splitId } from './items.ts'

/*
 * The inverse of `declaredItems`: a document whose application to what it was made of changes nothing.
 */

/**
 * The document that declares `stored`, without what the environment of zael sets. It contains every mapping, empty ones too, so
 * that whatever is added later is a difference with `--prune`. Pure; the order has no effect.
 */
export const exportedDocument = (stored: readonly StoredItem[]): JsonObject => {
  const items = stored.filter(({ isFixed }) => !isFixed).sort((a, b) => byText(a.id, b.id))
  const limits = setsByOwner(items, 'limits')
  const { system, roles } = defaultsIn(items)
  const entities = mappingOf(items, 'entity', ({ id, value }) => ({
    ...fieldsOf(value),
    limits: limits.get(id) ?? {},
  }))
  return {
    upstreams: mappingOf(items, 'upstream'),
    models: mappingOf(items, 'model'),
    defaults: { system, roles },
    entities,
    policies: mappingOf(items, 'policy'),
    alerts: mappingOf(items, 'alert'),
  }
}

const defaultsIn = (items: readonly Item[]): Readonly<Record<'system' | 'roles', JsonObject>> => {
  const sets = setsByOwner(items, 'defaults')
  const system = sets.get('') ?? {}
  sets.delete('')
  return { system, roles: Object.fromEntries(sets) }
}

const mappingOf = (
  items: readonly Item[],
  kind: Item['kind'],
  declare: (item: Item) => JsonValue = ({ value }) => value,
): JsonObject =>
  Object.fromEntries(items.flatMap((item) => (item.kind === kind ? [[item.id, declare(item)] as const] : [])))

/** The sets of limits by owner, and by resource. */
const setsByOwner = (items: readonly Item[], kind: 'limits' | 'defaults'): Map<string, JsonObject> => {
  const byOwner = new Map<string, JsonObject>()
  for (const item of items) {
    if (item.kind !== kind) continue
    const [owner, resource] = splitId(item.id)
    byOwner.set(owner, { ...byOwner.get(owner), [resource]: item.value })
  }
  return byOwner
}

const HEADER = ` What administrators set, as zael export wrote it. Secrets are references.
 zael diff -f <this file> compares it with zael, zael apply -f <this file> applies it.`

/** The document as YAML, with each entry of a list in one line. */
export const exportedYaml = (stored: readonly StoredItem[]): string => {
  const document = new Document(exportedDocument(stored), { aliasDuplicateObjects: false })
  document.commentBefore = HEADER
  visit(document, {
    Seq(_, list) {
      if (!list.items.some(isMap)) list.flow = true
      for (const item of list.items) if (isMap(item)) item.flow = true
    },
  })
  return document.toString({ lineWidth: 0 })
}
