import pLimit from 'p-limit'
import type { AppliedWrite, Calls } from '../count-calls.ts'
import type { ScenarioName } from './scenario.ts'

/** One way to decide on a DynamoDB table. */
export interface Contender {
  /** The prefix of its bucket names. */
  readonly id: string
  readonly title: string
  /** All calls that it has sent, in every scenario. */
  readonly calls: Calls
  /** Whether the scenario applies to it. */
  takesPart(scenario: ScenarioName): boolean
  /** Brings every bucket of the scenario into its steady state. */
  prepare(scenario: ScenarioName, keys: number): Promise<void>
  /** Decides once for key number `key`. Throws if the outcome is not the one of the scenario. */
  decide(scenario: ScenarioName, key: number): Promise<void>
  /** The periodic work of its server, once per second; `all`: as on shutdown. */
  flush(all: boolean): Promise<void>
  /** The writes to buckets since the previous call, if an aggregator counts them. */
  takeWrites(): readonly AppliedWrite[]
  close(): Promise<void>
}

/** Throws if the outcome of a decision is not the one of the scenario. */
export const expectDecision = (scenario: ScenarioName, isAllowed: boolean): void => {
  if (isAllowed === (scenario === 'denied')) throw new Error(`${scenario}: allowed is ${isAllowed}`)
}

/** Runs `operation` for each item, a few concurrently. */
export const forEachAtOnce = async <T>(
  all: readonly T[],
  operation: (each: T) => Promise<unknown>,
): Promise<void> => {
  await pLimit(AT_ONCE).map(all, operation)
}

const AT_ONCE = 16
