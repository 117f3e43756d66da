import type { BenchTable } from '../../bench/table.ts'
import type { DecisionRequest } from '../../src/core/decide/decision.ts'
import type { Cost, Meter } from '../../src/core/model/meter.ts'
import type { Bound } from './allowed.ts'

/** How many ask, and for how long. */
export interface Load {
  readonly nodes: number
  /** Of each node, at once. */
  readonly callers: number
  /** Callers ask again until then; what is under way is waited for. */
  readonly seconds: number
}

/** A limit whose promise is held against the log. */
export interface Watched {
  readonly limit: string
  readonly meter: Meter
  readonly bound: Bound
  /** True: each entity has one of its own. The worst of them is shown. */
  readonly isPerEntity?: boolean
}

export interface Scenario {
  readonly name: string
  readonly load: Load
  readonly watched: readonly Watched[]
  /** True: a minute ends while callers ask; else it has just begun. */
  readonly isMinuteCut?: boolean
  prepare(table: BenchTable): Promise<void>
  /** The entities that ask, for requests that read nothing yet. */
  readonly entityIds: readonly string[]
  request(index: number): Pick<DecisionRequest, 'entityId' | 'cost' | 'context'>
  /** What was used in the end; without it nothing is settled. */
  readonly used?: (cost: Cost, index: number) => Cost
}
