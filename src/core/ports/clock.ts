/** Time, as services see it. The core's rules take time as an argument. */
export interface Clock {
  /** Wall clock: ns since the epoch. */
  now(): bigint
  /** A clock that never steps back, ns from an arbitrary start: for ages and deadlines. */
  monotonic(): bigint
}
