import type { Outcome } from './outcome.ts'

export const MOST_KEPT = 200

export type Counts = Readonly<Record<Outcome['kind'], number>>

/** What came of the requests so far. */
export interface Tally {
  /** Newest first, at most `MOST_KEPT`. */
  readonly outcomes: readonly Outcome[]
  /** Of all, kept or not. */
  readonly counts: Counts
  /** Of the latest run. */
  readonly run: Counts
  /** The latest denial of the latest run. */
  readonly denied: Outcome | undefined
}

const NONE: Counts = { allowed: 0, denied: 0, failed: 0 }
export const EMPTY_TALLY: Tally = { outcomes: [], counts: NONE, run: NONE, denied: undefined }

/** A run begins. */
export const withRun = (tally: Tally): Tally => ({ ...tally, run: NONE, denied: undefined })

/** `outcomes` in the order in which they came, which is not that in which they were sent. */
export const withOutcomes = (tally: Tally, outcomes: readonly Outcome[]): Tally => ({
  outcomes: [...outcomes, ...tally.outcomes]
    .toSorted((first, second) => second.number - first.number)
    .slice(0, MOST_KEPT),
  counts: counted(tally.counts, outcomes),
  run: counted(tally.run, outcomes),
  denied: outcomes.findLast(({ kind }) => kind === 'denied') ?? tally.denied,
})

const counted = (before: Counts, outcomes: readonly Outcome[]): Counts => {
  const counts = { ...before }
  for (const { kind } of outcomes) counts[kind]++
  return counts
}

export const sumOf = ({ allowed, denied, failed }: Counts): number => allowed + denied + failed

/** `11 requests: 10 allowed, 1 denied, 0 failed` */
export const countsText = (counts: Counts): string => {
  const all = sumOf(counts)
  const { allowed, denied, failed } = counts
  return `${all} ${all === 1 ? 'request' : 'requests'}: ${allowed} allowed, ${denied} denied, ${failed} failed`
}
