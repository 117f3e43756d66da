const SHORTEST_MS = 250
const LONGEST_MS = 30_000
/** A worker that lived so long is no sign of another's early end. */
export const HEALTHY_MS = 60_000

/** How long to wait before the next worker takes the place of one that has ended, after `deaths` early ends in a row (1 or more). */
export const backOffMs = (deaths: number): number => Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (deaths - 1))
