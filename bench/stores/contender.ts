import pLimit from 'p-limit'
import type { Calls, SeenWrite } from '../count-calls.ts'
import type { ScenarioName } from './scenario.ts'

/** One way to decide on a DynamoDB table. */
export interface Contender {
  /** Stands before its buckets' names. */
  readonly id: string
  readonly title: string
  /** All that it has sent, of every scenario. */
  readonly calls: Calls
  /** Whether it has anything to show in a scenario. */
  takesPart(scenario: ScenarioName): boolean
  /** Brings every bucket of the scenario to where steady state begins. */
  prepare(scenario: ScenarioName, keys: number): Promise<void>
  /** Decides once for the key of that number. Throws where the decision is not the scenario's. */
  ask(scenario: ScenarioName, key: number): Promise<void>
  /** What its server does once a second; `all`: as before it ends. */
  flush(all: boolean): Promise<void>
  /** The writes to buckets since it was last asked, where they are for an aggregator to count. */
  takeWrites(): readonly SeenWrite[]
  close(): Promise<void>
}

/** Throws where a decision is not the one that the scenario is about. */
export const expectDecision = (scenario: ScenarioName, isAllowed: boolean): void => {
  if (isAllowed === (scenario === 'denied')) throw new Error(`${scenario}: allowed is ${isAllowed}`)
}

/** Runs `operation` for each, a few at once. */
export const forEachAtOnce = async <T>(
  all: readonly T[],
  operation: (each: T) => Promise<unknown>,
): Promise<void> => {
  await pLimit(AT_ONCE).map(all, operation)
}

const AT_ONCE = 16
