/** A member of a list by recency of use, which links its members themselves: using one changes a few fields. */
export interface Recent<T> {
  older: T | undefined
  newer: T | undefined
}

export interface Recency<T> {
  /** Makes the member the newest; adds it if it is not in the list. */
  use(member: T): void
  remove(member: T): void
  oldest(): T | undefined
}

export const createRecency = <T extends Recent<T>>(): Recency<T> => {
  let newest: T | undefined
  let oldest: T | undefined
  const remove = (member: T): void => {
    const { older, newer } = member
    if (older) older.newer = newer
    else if (oldest === member) oldest = newer
    if (newer) newer.older = older
    else if (newest === member) newest = older
    member.older = undefined
    member.newer = undefined
  }
  return {
    use(member) {
      if (member === newest) return
      remove(member)
      member.older = newest
      if (newest) newest.newer = member
      newest = member
      oldest ??= member
    },
    remove,
    oldest: () => oldest,
  }
}
