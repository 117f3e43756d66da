import { median, type Round } from '../measure.ts'
import type { BenchTable } from '../table.ts'
import type { Contender } from './contender.ts'
import { blockingFlexibleContender, flexibleContender } from './flexible-contender.ts'
import { rawContender } from './raw-contender.ts'
import { SCENARIOS, type ScenarioName } from './scenario.ts'
import { decisionsIn, recordsOf, type TurnOptions, type Turns, takeTurns } from './turns.ts'
import { countUsageWrites } from './usage-writes.ts'
import { zaelContender } from './zael-contender.ts'

/** On-demand price in us-east-1, dollars per million units. https://aws.amazon.com/dynamodb/pricing/on-demand/ */
const DOLLARS = { write: 0.625, read: 0.125 }
const LEASE_TTL_MS = 1000

export interface StoreRow {
  readonly scenario: ScenarioName
  readonly contender: string
  readonly title: string
  readonly perSecond: number
  /** The median ratio of consecutive turns. */
  readonly ofFlexible: number
  /** Likewise, of the raw write. */
  readonly ofRaw: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Includes failed conditions. */
  readonly writesPerDecision: number
  readonly readsPerDecision: number
  /** Writes of the aggregator that counts use, for the records that the run caused. */
  readonly usageWritesPerDecision: number
  /** DynamoDB's on-demand price of a million decisions, including the aggregator's writes. */
  readonly dollarsPerMillion: number
}

/** Measures the contenders in alternating turns on one engine. */
export const measureStores = async (
  table: BenchTable,
  options: TurnOptions,
  onProgress: (text: string) => void,
): Promise<readonly StoreRow[]> => {
  const contenders = await openContenders(table)
  const all: (readonly Turns[])[] = []
  try {
    for (const { name, title } of SCENARIOS) {
      onProgress(title)
      all.push(await takeTurns(contenders, name, options))
    }
  } finally {
    for (const contender of contenders) await contender.close()
  }
  return Promise.all(all.flatMap((turns) => turns.map((each) => rowOf(each, turns))))
}

const openContenders = async (table: BenchTable): Promise<readonly Contender[]> => [
  rawContender(table),
  await flexibleContender(table),
  await blockingFlexibleContender(table),
  await zaelContender(table, 'exact', 0),
  await zaelContender(table, 'leased', LEASE_TTL_MS),
]

const rowOf = async (turns: Turns, beside: readonly Turns[]): Promise<StoreRow> => {
  const { contender, scenario, rounds, calls } = turns
  const decisions = decisionsIn(turns)
  const usageWrites = await countUsageWrites(recordsOf(turns))
  const ofRoundsBy = (contenderId: string): number => {
    const others = beside.find((each) => each.contender.id === contenderId)?.rounds ?? []
    return median(rounds.map(({ perSecond }, at) => perSecond / (others[at]?.perSecond ?? Number.NaN)))
  }
  const of = (figure: (round: Round) => number): number => median(rounds.map(figure))
  const dollars = (calls.writeUnits + usageWrites) * DOLLARS.write + calls.readUnits * DOLLARS.read
  return {
    scenario,
    contender: contender.id,
    title: contender.title,
    perSecond: of(({ perSecond }) => perSecond),
    ofFlexible: ofRoundsBy('flexible'),
    ofRaw: ofRoundsBy('raw'),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    writesPerDecision: calls.writes / decisions,
    readsPerDecision: calls.reads / decisions,
    usageWritesPerDecision: usageWrites / decisions,
    dollarsPerMillion: dollars / decisions,
  }
}
