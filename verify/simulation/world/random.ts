/** Pseudo-random numbers, the same for the same seed on every machine. */
export interface Random {
  /** From 0 up to, but not including, 1. */
  next(): number
  /** A whole number; both ends are included. */
  between(low: number, high: number): number
  /** True with this probability. */
  chance(share: number): boolean
  pick<T>(items: readonly [T, ...T[]]): T
  /** Intervals between independent events, with this `mean` (exponential). */
  gap(mean: number): number
}

/** SplitMix32: a counter, and a finalizer of MurmurHash3 over it. */
export const createRandom = (seed: number): Random => {
  let state = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) >>> 0
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (share) => next() < share,
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    gap: (mean) => -mean * Math.log(1 - next()),
  }
}
