import { type Calls, callsSince, type SeenWrite } from '../count-calls.ts'
import { type Round, runLoops } from '../measure.ts'
import type { Contender } from './contender.ts'
import type { ScenarioName } from './scenario.ts'
import type { TimedRecord } from './usage-writes.ts'

export interface TurnOptions {
  readonly callers: number
  /** In scenarios of many keys, asked for in rotation. */
  readonly keys: number
  /** Of each turn. Short turns, many of them: a shared machine's speed drifts within seconds. */
  readonly seconds: number
  readonly rounds: number
  readonly warmUpSeconds: number
}

/** What a contender did in its turns of a scenario. */
export interface Turns {
  readonly contender: Contender
  readonly scenario: ScenarioName
  readonly rounds: readonly Round[]
  /** From after the warm-up until all that waited was written. */
  readonly calls: Calls
  /** Wall clock, ms. */
  readonly spans: readonly Span[]
  readonly writes: readonly SeenWrite[]
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** Contenders in turns: a machine that slows down does so for all of them. */
export const takeTurns = async (
  contenders: readonly Contender[],
  scenario: ScenarioName,
  { callers, keys, seconds, rounds, warmUpSeconds }: TurnOptions,
): Promise<readonly Turns[]> => {
  const playing = contenders.filter((contender) => contender.takesPart(scenario))
  /** Goes on where the turn before ended, so that short turns reach every key. */
  const askAs = (contender: Contender) => {
    let next = 0
    return () => contender.ask(scenario, next++ % keys)
  }
  for (const contender of playing) {
    await contender.prepare(scenario, keys)
    await runLoops(callers, warmUpSeconds, askAs(contender))
    await contender.flush(true)
  }
  const taken = playing.map((contender) => ({
    contender,
    ask: askAs(contender),
    before: { ...contender.calls },
    rounds: [] as Round[],
    spans: [] as Span[],
  }))
  for (let round = 0; round < rounds; round++) {
    for (const each of taken) {
      const fromMs = Date.now()
      each.rounds.push(await runLoops(callers, seconds, each.ask))
      each.spans.push({ fromMs, toMs: Date.now() })
      await each.contender.flush(round === rounds - 1)
    }
  }
  return taken.map(({ contender, before, ask, ...all }) => {
    const writes = contender.takeWrites()
    return { ...all, contender, scenario, writes, calls: callsSince(contender.calls, before) }
  })
}

export const decisionsIn = ({ rounds }: Turns): number =>
  rounds.reduce((sum, { operations }) => sum + operations, 0)

/** The writes of the turns as records of a stream, at the time that the contender's own turns had taken by then. */
export const recordsOf = ({ spans, writes }: Turns): readonly TimedRecord[] => {
  const beginsMs = spans[0]?.fromMs ?? Number.POSITIVE_INFINITY
  return writes
    .filter(({ atMs }) => atMs >= beginsMs)
    .map((write) => ({ text: recordText(write), atMs: ownTime(spans, write.atMs) }))
}

const recordText = ({ key, old, new: image, atMs }: SeenWrite): string =>
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
