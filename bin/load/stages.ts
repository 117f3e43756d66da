import * as v from 'valibot'
import { durationMs } from './option-schemas.ts'

/** A period in which the number of callers changes linearly from one number to another. */
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

/** The maximum number of concurrent callers. */
export const peakCallers = (stages: readonly Stage[]): number =>
  Math.max(...stages.flatMap(({ fromCallers, toCallers }) => [fromCallers, toCallers]))

/** The number of callers `atMs` after the start: a whole number, so that a ramp from 0 begins with one. 0 after the end. */
export const callersAt = (stages: readonly Stage[], atMs: number): number => {
  let begunMs = 0
  for (const { fromCallers, toCallers, durationMs: lengthMs } of stages) {
    const share = (atMs - begunMs) / lengthMs
    if (share < 1) return Math.ceil(fromCallers + (toCallers - fromCallers) * share)
    begunMs += lengthMs
  }
  return 0
}

/** The number of `callers` that process `index` of `processes` runs; over all processes they add up to `callers`. */
export const shareOf = (callers: number, index: number, processes: number): number =>
  Math.max(0, Math.ceil((callers - index) / processes))

const STAGE = /^(\d{1,9}):(.+)$/

/** One `callers:duration`, which begins with the final number of callers of the previous stage. */
const stageIn = (text: string, fromCallers: number): Stage => {
  const [, callers, time = ''] = STAGE.exec(text.trim()) ?? []
  return { fromCallers, toCallers: Number(callers), durationMs: durationMs(time) }
}

const stagesIn = (text: string): readonly Stage[] => {
  const ramp: Stage[] = []
  for (const part of text.split(',')) ramp.push(stageIn(part, ramp.at(-1)?.toCallers ?? 0))
  return ramp
}

/** `5:10s,20:30s`: from none to 5 callers in 10 s, then to 20 in 30 s. */
export const stages = ({ mostCallers, mostStages, longestMs }: StageBounds) =>
  v.pipe(
    v.string(),
    v.transform(stagesIn),
    v.everyItem(
      ({ toCallers, durationMs }) => toCallers <= mostCallers && durationMs > 0,
      `be concurrency:duration pairs such as 5:10s,20:30s, with 0 to ${mostCallers} callers`,
    ),
    v.check((ramp) => ramp.length <= mostStages, `be at most ${mostStages} stages`),
    v.check((ramp) => totalMs(ramp) <= longestMs, `last at most ${longestMs / 1000} seconds together`),
    v.check((ramp) => peakCallers(ramp) > 0, 'have a caller in at least one stage'),
  )
