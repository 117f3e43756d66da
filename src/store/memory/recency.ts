/** A member of a list by recency of use, which links its members themselves: using one changes a few fields. */
export interface Recent<T> {
  older: T | undefined
  newer: T | undefined
}

export interface Recency<T> {
  /**
   * A period ends once half of the members have been used. A caller may leave out all but the first use of a member in a
   * period; then the oldest is one that has not been used since half of the others were.
   */
  readonly periods: { readonly current: number }
  /** Makes the member the newest; adds it if it is not in the list. */
  use(member: T): void
  remove(member: T): void
  oldest(): T | undefined
}

/** The order of at most `max` members. */
export const createRecency = <T extends Recent<T>>(max: number): Recency<T> => {
  const periods = { current: 1 }
  let uses = 0
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
  const append = (member: T): void => {
    member.older = newest
    if (newest) newest.newer = member
    newest = member
    oldest ??= member
  }
  const countUse = (): void => {
    if (++uses < max / 2) return
    uses = 0
    periods.current++
  }
  return {
    periods,
    use(member) {
      countUse()
      if (member === newest) return
      remove(member)
      append(member)
    },
    remove,
    oldest: () => oldest,
  }
}
