import type { LimitSetKey } from '../limit/limit.ts'
import { limitSetText } from '../limit/owner-text.ts'
import type { ConfigReads } from './cached-config.ts'
import { resolveBuckets } from './resolve-buckets.ts'

/**
 * Reads what resolving entities one by one would read, all at once: the entities, their parents level by level, and the
 * sets that all of them ask for. Those that are not there are passed over.
 */
export const prepareResolving = async (reads: ConfigReads, entityIds: readonly string[]): Promise<void> => {
  const known = new Set<string>()
  const found: string[] = []
  let wanted = [...new Set(entityIds)]
  while (wanted.length > 0) {
    const entities = (await reads.entities(wanted)).flatMap((entity) => entity ?? [])
    for (const id of wanted) known.add(id)
    if (found.length === 0) found.push(...entities.map(({ id }) => id))
    const parents = new Set(entities.flatMap(({ parentId }) => parentId ?? []))
    wanted = [...parents].filter((id) => !known.has(id))
  }
  const keys = new Map<string, LimitSetKey>()
  const asking: ConfigReads = {
    ...reads,
    async limitSets(asked) {
      for (const key of asked) keys.set(limitSetText(key), key)
      return asked.map(() => undefined)
    },
  }
  await Promise.all(found.map((entityId) => resolveBuckets(asking, { entityId, defaults: [] })))
  await reads.limitSets([...keys.values()])
}
