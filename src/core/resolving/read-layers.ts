import type { LimitSetKey } from '../limit/limit.ts'
import { limitSetText } from '../limit/owner-text.ts'
import type { ConfigReads } from './cached-config.ts'
import { type Layer, layerOf } from './layers.ts'

/** Picks from the sets that were read. */
export type LayersOf = (keys: readonly LimitSetKey[]) => readonly Layer[]

/** Reads all sets at once; what it returns picks from them. */
export const readLayers = async (
  reads: Pick<ConfigReads, 'limitSets'>,
  keys: readonly LimitSetKey[],
): Promise<LayersOf> => {
  const unique = new Map(keys.map((key) => [limitSetText(key), key]))
  const sets = await reads.limitSets([...unique.values()])
  const layers = new Map([...unique].map(([text, key], index) => [text, layerOf(key, sets[index])]))
  return (wanted) => wanted.flatMap((key) => layers.get(limitSetText(key)) ?? [])
}
