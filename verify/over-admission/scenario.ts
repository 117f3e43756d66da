import type { BenchTable } from '../../bench/table.ts'
import type { DecisionRequest } from '../../src/core/decide/decision.ts'
import type { Cost, Meter } from '../../src/core/model/meter.ts'
import type { Bound } from './allowed.ts'

/** The number of callers, and the duration. */
export interface Load {
  readonly nodes: number
  /** Per node, concurrently. */
  readonly callers: number
  /** Of all nodes, if it is not a multiple of their number: dealt out in turn. */
  readonly total?: number
  /** Callers send requests until then; requests in progress are awaited. */
  readonly seconds: number
}

/** A limit whose bound is checked against the log. */
export interface Watched {
  readonly limit: string
  readonly meter: Meter
  readonly bound: Bound
  /** True: each entity has this limit on a bucket of its own; the worst of them is reported. */
  readonly isPerEntity?: boolean
}

export interface Scenario {
  readonly name: string
  readonly load: Load
  readonly watched: readonly Watched[]
  /** True: a minute ends while callers send requests. False: it has just begun. */
  readonly isMinuteCut?: boolean
  prepare(table: BenchTable): Promise<void>
  /** The entities that send requests, for the dry runs before the measurement. */
  readonly entityIds: readonly string[]
  request(index: number): Pick<DecisionRequest, 'entityId' | 'cost' | 'context'>
  /** The actual use. Undefined: nothing is settled. */
  readonly used?: (cost: Cost, index: number) => Cost
}
