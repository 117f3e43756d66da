import type { BenchTable } from '../../bench/table.ts'
import { type Bound, shareUsed, type WorstSpan, worse, worstSpan } from './allowed.ts'
import { runScenario, type ScenarioLog } from './run-scenario.ts'
import type { Scenario, Watched } from './scenario.ts'
import { type Admission, type Charged, type Use, usesOf } from './use.ts'

/** One limit of a scenario: the amount that it admitted and the amount that it allows. */
export interface OverAdmissionRow extends WorstSpan {
  readonly scenario: string
  readonly limit: string
  /** Nodes × callers per node. */
  readonly callers: string
  readonly requests: number
  /** The total, in the unit of the limit's meter. `used`, `allowed` and `over` describe the worst span. */
  readonly admitted: number
  /** See `shareUsed`. */
  readonly share: number
  readonly denied: number
  readonly degraded: number
  readonly errors: number
  readonly writesPerDecision: number
}

/** Runs a scenario and checks each of its limits against the log of admissions. */
export const measureOverAdmission = async (
  table: BenchTable,
  scenario: Scenario,
): Promise<readonly OverAdmissionRow[]> => {
  const log = await runScenario(table, scenario)
  return scenario.watched.map((watched) => rowOf(scenario, watched, log))
}

const rowOf = ({ name, load }: Scenario, watched: Watched, log: ScenarioLog): OverAdmissionRow => {
  const { requests, denied, degraded, errors, writes, admissions } = log
  const groups = groupsOf(watched, admissions).map((each) =>
    usesOf(
      each.map((admission) => chargedOn(watched, admission)),
      watched.meter,
    ),
  )
  return {
    scenario: name,
    limit: watched.limit,
    callers: `${load.nodes} × ${load.callers}`,
    requests,
    admitted: totalOf(groups.flat()),
    ...worstOf(watched.bound, groups),
    share: meanOf(groups.map((uses) => shareUsed(watched.bound, uses))),
    denied,
    degraded,
    errors,
    writesPerDecision: writes / requests,
  }
}

/** A limit that is set per entity has a bucket of its own; any other limit has the shared bucket, or the only one. */
const chargedOn = ({ isPerEntity = false }: Watched, admission: Admission): Charged => {
  const { chargedAt, sentAt } = admission
  return { ...admission, at: chargedAt.at(isPerEntity ? 0 : -1) ?? sentAt }
}

const groupsOf = (
  { isPerEntity = false }: Watched,
  admissions: readonly Admission[],
): readonly (readonly Admission[])[] => {
  const groups = new Map<string, Admission[]>()
  for (const admission of admissions) {
    const key = isPerEntity ? admission.entityId : ''
    groups.set(key, [...(groups.get(key) ?? []), admission])
  }
  return [...groups.values()]
}

const worstOf = (bound: Bound, groups: readonly (readonly Use[])[]): WorstSpan =>
  groups.map((uses) => worstSpan(bound, uses)).reduce(worse, worstSpan(bound, []))

const totalOf = (uses: readonly Use[]): number => uses.reduce((sum, { amount }) => sum + amount, 0)

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
