/** Drops what is over, from the oldest on up to the first that is not: as a table's TTL, bounded and in its own time. */
export const dropOldest = <V>(kept: Map<string, V>, isOver: (value: V) => boolean): void => {
  for (const [key, value] of kept) {
    if (!isOver(value)) return
    kept.delete(key)
  }
}
