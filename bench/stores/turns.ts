import { type AppliedWrite, type Calls, callsSince } from '../count-calls.ts'
import { type Round, runLoops } from '../measure.ts'
import type { Contender } from './contender.ts'
import type { ScenarioName } from './scenario.ts'
import type { TimedRecord } from './usage-writes.ts'

export interface TurnOptions {
  readonly callers: number
  /** In scenarios with many keys, used in rotation. */
  readonly keys: number
  /** Per turn. Many short turns, because the speed of a shared machine drifts within seconds. */
  readonly seconds: number
  readonly rounds: number
  readonly warmUpSeconds: number
}

/** The measurements of a contender in its turns of a scenario. */
export interface Turns {
  readonly contender: Contender
  readonly scenario: ScenarioName
  readonly rounds: readonly Round[]
  /** From the end of the warm-up until all deferred writes were sent. */
  readonly calls: Calls
  /** Wall clock, ms. */
  readonly spans: readonly Span[]
  readonly writes: readonly AppliedWrite[]
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** Runs the contenders in alternating turns, so that a slow phase of the machine affects all of them. */
export const takeTurns = async (
  contenders: readonly Contender[],
  scenario: ScenarioName,
  { callers, keys, seconds, rounds, warmUpSeconds }: TurnOptions,
): Promise<readonly Turns[]> => {
  const playing = contenders.filter((contender) => contender.takesPart(scenario))
  /** Continues where the previous turn ended, so that short turns reach every key. */
  const decideAs = (contender: Contender) => {
    let next = 0
    return () => contender.decide(scenario, next++ % keys)
  }
  for (const contender of playing) {
    await contender.prepare(scenario, keys)
    await runLoops(callers, warmUpSeconds, decideAs(contender))
    await contender.flush(true)
  }
  const taken = playing.map((contender) => ({
    contender,
    decide: decideAs(contender),
    before: { ...contender.calls },
    rounds: [] as Round[],
    spans: [] as Span[],
  }))
  for (let round = 0; round < rounds; round++) {
    for (const each of taken) {
      const fromMs = Date.now()
      each.rounds.push(await runLoops(callers, seconds, each.decide))
      each.spans.push({ fromMs, toMs: Date.now() })
      await each.contender.flush(round === rounds - 1)
    }
  }
  return taken.map(({ contender, before, decide, ...all }) => {
    const writes = contender.takeWrites()
    return { ...all, contender, scenario, writes, calls: callsSince(contender.calls, before) }
  })
}

export const decisionsIn = ({ rounds }: Turns): number =>
  rounds.reduce((sum, { operations }) => sum + operations, 0)

/** The writes of the turns as stream records. Their times only count the contender's own turns. */
export const recordsOf = ({ spans, writes }: Turns): readonly TimedRecord[] => {
  const beginsMs = spans[0]?.fromMs ?? Number.POSITIVE_INFINITY
  return writes
    .filter(({ atMs }) => atMs >= beginsMs)
    .map((write) => ({ text: recordText(write), atMs: ownTime(spans, write.atMs) }))
}

const recordText = ({ key, old, new: image, atMs }: AppliedWrite): string =>
  JSON.stringify({
    eventName: old === undefined ? 'INSERT' : 'MODIFY',
    dynamodb: {
      Keys: key,
      ...(old && { OldImage: old }),
      NewImage: image,
      SequenceNumber: String(atMs),
      ApproximateCreationDateTime: Math.floor(atMs / 1000),
    },
  })

const ownTime = (spans: readonly Span[], wallMs: number): number =>
  spans.reduce((sum, { fromMs, toMs }) => sum + Math.max(0, Math.min(wallMs, toMs) - fromMs), 0)
