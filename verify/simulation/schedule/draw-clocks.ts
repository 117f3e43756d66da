import type { Random } from '../world/random.ts'

/** 2026-01-01T00:00:00Z, the start of a minute, in ns since the epoch. */
export const EPOCH_NS = 1_767_225_600_000_000_000n

/** No two clocks differ by more than 5 s: beyond that, a node would not decide. */
export const drawClocks = (random: Random, nodes: number): readonly number[] => {
  const spread = random.pick([0, 0, 20_000_000, 1_000_000_000, 5_000_000_000])
  return Array.from({ length: nodes }, () => Math.floor((random.next() - 0.5) * spread))
}
