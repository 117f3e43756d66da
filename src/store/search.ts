import type { Entity } from '../core/entity/entity.ts'

/** Whether the id or the name holds `q`, in whatever case; all do where nothing is searched for. */
export const matchesSearch = ({ id, name }: Entity, q: string | undefined): boolean => {
  if (q === undefined) return true
  const needle = q.toLowerCase()
  return id.toLowerCase().includes(needle) || name.toLowerCase().includes(needle)
}
