/** Which key stands behind an entity's id, for as long as it is being decided about. */
export interface KeysUnderWay {
  keyOf(entityId: string): string | undefined
  /** Runs `decide`, which may ask `keyOf(entityId)` until it has ended. */
  during<T>(entityId: string, key: string, decide: () => Promise<T>): Promise<T>
}

interface UnderWay {
  readonly key: string
  count: number
}

export const createKeysUnderWay = (): KeysUnderWay => {
  const underWay = new Map<string, UnderWay>()
  return {
    keyOf: (entityId) => underWay.get(entityId)?.key,
    async during(entityId, key, decide) {
      const entry = underWay.get(entityId) ?? { key, count: 0 }
      entry.count++
      underWay.set(entityId, entry)
      try {
        return await decide()
      } finally {
        entry.count--
        if (entry.count === 0) underWay.delete(entityId)
      }
    },
  }
}
