import { type Violated, violationsIn } from './invariants/violations.ts'
import type { RunLog } from './run-log.ts'
import { runSchedule } from './run-schedule.ts'
import { drawSchedule } from './schedule/draw-schedule.ts'

/** A schedule that violates an invariant. */
export interface Failure {
  readonly seed: number
  readonly violated: readonly Violated[]
}

/** Runs the schedule of a seed. */
export const simulate = (seed: number): Promise<RunLog> => runSchedule(drawSchedule(seed))

/** The violations of a seed's schedule; undefined if there are none. */
export const failureOf = (log: RunLog): Failure | undefined => {
  const violated = violationsIn(log)
  return violated.length > 0 ? { seed: log.schedule.seed, violated } : undefined
}

/** Names the seed, and the command that reproduces the run. */
export const failureText = ({ seed, violated }: Failure): string =>
  [
    `seed ${seed}: npm run verify -- --only simulation --seed ${seed}`,
    ...violated.slice(0, 5).map(({ invariant, text }) => `  ${invariant}: ${text}`),
  ].join('\n')
