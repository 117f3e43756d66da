import { setTimeout as pause } from 'node:timers/promises'

const SHORTEST_MS = 5
const LONGEST_MS = 25

/** Waits a short while, at random, so that those who failed together do not try again together; longer from try to try. */
export const shortPause = (tries = 1): Promise<void> =>
  pause((SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS)) * 2 ** (tries - 1))
