import type { LocatedFault } from '../contract/parse.ts'
import type { JsonValue } from '../core/model/json.ts'
import type { Family } from './family.ts'
import { type DeclaredItem, keyOf, type StoredItem } from './items.ts'

/** What the references of a file depend on. */
export interface References {
  readonly stored: readonly StoredItem[]
  readonly desired: readonly DeclaredItem[]
  /** What is deleted because the file does not contain it. */
  readonly pruned: readonly StoredItem[]
  readonly family: Family
}

/** Every fault of a file in view of what is stored: nothing is applied if there is one. */
export const faultsTogether = (references: References): readonly LocatedFault[] => [
  ...fixedFaults(references),
  ...parentFaults(references),
  ...upstreamFaults(references),
  ...usedFaults(references),
]

const fixedFaults = ({ stored, desired }: References): readonly LocatedFault[] => {
  const fixed = new Set(stored.filter(({ isFixed }) => isFixed).map(keyOf))
  return desired
    .filter((item) => fixed.has(keyOf(item)))
    .map(({ path }) => ({ path, must: 'not be given: the environment of zael (UPSTREAM_BASE_URL) sets it' }))
}

const idsOf = (items: readonly { readonly kind: string; readonly id: string }[], kind: string) =>
  new Set(items.flatMap((item) => (item.kind === kind ? [item.id] : [])))

const parentFaults = ({ desired, pruned, family }: References): readonly LocatedFault[] => {
  const deleted = idsOf(pruned, 'entity')
  const mustOf = (id: string, parent: string): string | undefined => {
    if (deleted.has(parent))
      return `name an entity of the file: --prune deletes ${parent}, which the file does not contain`
    if (!family.exists(parent)) return `name an entity of the file, or one that exists: there is no ${parent}`
    const cycle = family.cycleOf(id)
    return cycle && `not be the entity itself or one of its descendants: ${[id, ...cycle].join(' is below ')}`
  }
  return desired.flatMap(({ kind, id, path }) => {
    const parent = kind === 'entity' ? family.desiredParent(id) : undefined
    const must = parent === undefined ? undefined : mustOf(id, parent)
    return must === undefined ? [] : [{ path: [...path, 'parent_id'], must }]
  })
}

/** The names of the upstreams of a model, in order. */
const upstreamsOf = (value: JsonValue): readonly string[] =>
  typeof value === 'object' && value !== null && 'upstreams' in value && Array.isArray(value.upstreams)
    ? value.upstreams.map(({ upstream }) => String(upstream))
    : []

const upstreamFaults = ({ stored, desired, pruned }: References): readonly LocatedFault[] => {
  const deleted = idsOf(pruned, 'upstream')
  const known = idsOf([...stored, ...desired], 'upstream')
  const mustOf = (name: string): string | undefined => {
    if (deleted.has(name))
      return `name an upstream of the file: --prune deletes ${name}, which the file does not contain`
    return known.has(name)
      ? undefined
      : `name an upstream of the file, or one that exists: there is no ${name}`
  }
  return desired.flatMap(({ kind, value, path }) =>
    (kind === 'model' ? upstreamsOf(value) : []).flatMap((name, index) => {
      const must = mustOf(name)
      return must === undefined ? [] : [{ path: [...path, 'upstreams', String(index), 'upstream'], must }]
    }),
  )
}

/** Upstreams to be deleted that a model uses which is neither declared nor deleted. */
const usedFaults = ({ stored, desired, pruned }: References): readonly LocatedFault[] => {
  const deleted = idsOf(pruned, 'upstream')
  const replaced = new Set([...desired, ...pruned].map(keyOf))
  return stored
    .filter((item) => item.kind === 'model' && !replaced.has(keyOf(item)))
    .flatMap(({ id, value }) =>
      upstreamsOf(value)
        .filter((name) => deleted.has(name))
        .map((name) => ({
          path: ['upstreams'],
          must: `contain ${name}, or be applied without --prune: the model ${id}, which the file does not contain, uses it`,
        })),
    )
}
