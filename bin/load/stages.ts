import { Mistake, type SettingKind } from '../../src/settings/kinds.ts'
import { durationMs } from './option-kinds.ts'

/** A stretch of time in which the number of callers goes evenly from one number to another. */
export interface Stage {
  readonly fromCallers: number
  readonly toCallers: number
  readonly durationMs: number
}

export interface StageBounds {
  readonly mostCallers: number
  readonly mostStages: number
  readonly longestMs: number
}

export const totalMs = (stages: readonly Stage[]): number =>
  stages.reduce((sum, stage) => sum + stage.durationMs, 0)

/** The most callers at once. */
export const peakCallers = (stages: readonly Stage[]): number =>
  Math.max(...stages.flatMap(({ fromCallers, toCallers }) => [fromCallers, toCallers]))

/** How many callers there are `atMs` after the beginning: whole ones, so that a ramp from 0 begins with one. 0 after the end. */
export const callersAt = (stages: readonly Stage[], atMs: number): number => {
  let begunMs = 0
  for (const { fromCallers, toCallers, durationMs: lengthMs } of stages) {
    const share = (atMs - begunMs) / lengthMs
    if (share < 1) return Math.ceil(fromCallers + (toCallers - fromCallers) * share)
    begunMs += lengthMs
  }
  return 0
}

/** The part of `callers` that process `index` of `processes` runs; over all processes they add up to `callers`. */
export const shareOf = (callers: number, index: number, processes: number): number =>
  Math.max(0, Math.ceil((callers - index) / processes))

const STAGE = /^(\d{1,9}):(.+)$/

/** One `callers:duration`, which begins with as many callers as the one before ended with. */
const stage = (text: string, fromCallers: number, mostCallers: number): Stage => {
  const [, callers, time = ''] = STAGE.exec(text.trim()) ?? []
  const read = { fromCallers, toCallers: Number(callers), durationMs: durationMs(time) }
  if (read.toCallers <= mostCallers && read.durationMs > 0) return read
  throw new Mistake(`be concurrency:duration pairs such as 5:10s,20:30s, with 0 to ${mostCallers} callers`)
}

/** `5:10s,20:30s`: from none to 5 callers in 10 s, then to 20 in 30 s. */
export const stages =
  ({ mostCallers, mostStages, longestMs }: StageBounds): SettingKind<readonly Stage[]> =>
  (text) => {
    const ramp: Stage[] = []
    for (const part of text.split(',')) ramp.push(stage(part, ramp.at(-1)?.toCallers ?? 0, mostCallers))
    if (ramp.length > mostStages) throw new Mistake(`be at most ${mostStages} stages`)
    if (totalMs(ramp) > longestMs) throw new Mistake(`last at most ${longestMs / 1000} seconds together`)
    if (peakCallers(ramp) === 0) throw new Mistake('have a caller in at least one stage')
    return ramp
  }
