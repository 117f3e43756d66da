/** Where each of some heights begins, and last where the last one ends. */
export const offsetsOf = (heights: readonly number[]): readonly number[] => {
  const offsets = [0]
  let sum = 0
  for (const height of heights) {
    sum += height
    offsets.push(sum)
  }
  return offsets
}

/** Rows from `start` up to, and not with, `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** The rows that lie between two heights, and `spare` more at both ends. */
export const visibleRange = (
  offsets: readonly number[],
  topPx: number,
  bottomPx: number,
  spare: number,
): Range => {
  const count = offsets.length - 1
  const start = rowAt(offsets, topPx)
  const end = rowAt(offsets, bottomPx) + 1
  return { start: Math.max(0, start - spare), end: Math.min(count, end + spare) }
}

/** The row that covers a height; the first or the last where none does. */
const rowAt = (offsets: readonly number[], atPx: number): number => {
  let low = 0
  let high = Math.max(0, offsets.length - 2)
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((offsets[middle] ?? 0) <= atPx) low = middle
    else high = middle - 1
  }
  return low
}
