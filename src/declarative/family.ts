import type { DeclaredItem, Item, StoredItem } from './items.ts'

/** The entities and their parents: as they are stored, and as they are once the file is applied. */
export interface Family {
  /** The number of ancestors; entities in a cycle have those up to the cycle. */
  storedDepth(id: string): number
  desiredDepth(id: string): number
  /** Undefined: there is none, or it has no parent. */
  desiredParent(id: string): string | undefined
  exists(id: string): boolean
  /** The ancestors from the parent on that lead back to `id`; undefined: there is no cycle. */
  cycleOf(id: string): readonly string[] | undefined
}

type Parents = ReadonlyMap<string, string | undefined>

export const createFamily = (stored: readonly StoredItem[], desired: readonly DeclaredItem[]): Family => {
  const before = new Map(parentsIn(stored))
  const after: Parents = new Map([...before, ...parentsIn(desired)])
  const storedDepths = new Map<string, number>()
  const desiredDepths = new Map<string, number>()
  return {
    storedDepth: (id) => depthIn(before, id, storedDepths),
    desiredDepth: (id) => depthIn(after, id, desiredDepths),
    desiredParent: (id) => after.get(id),
    exists: (id) => after.has(id),
    cycleOf(id) {
      const ancestors = ancestorsIn(after, id)
      return ancestors.at(-1) === id ? ancestors : undefined
    },
  }
}

const parentsIn = (items: readonly Item[]): readonly (readonly [string, string | undefined])[] =>
  items.flatMap(({ kind, id, value }) => (kind === 'entity' ? [[id, parentOf(value)] as const] : []))

const parentOf = (value: Item['value']): string | undefined =>
  typeof value === 'object' && value !== null && 'parent_id' in value && typeof value.parent_id === 'string'
    ? value.parent_id
    : undefined

/** Up to the root, or to the first that occurs again. */
const ancestorsIn = (parents: Parents, id: string): readonly string[] => {
  const seen = new Set<string>()
  for (let at = parents.get(id); at !== undefined && !seen.has(at); at = parents.get(at)) seen.add(at)
  return [...seen]
}

const depthIn = (parents: Parents, id: string, known: Map<string, number>): number => {
  const depth = known.get(id) ?? ancestorsIn(parents, id).length
  known.set(id, depth)
  return depth
}
