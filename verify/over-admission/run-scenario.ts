import type { BenchNode, BenchTable } from '../../bench/table.ts'
import type { Decision, Reservation } from '../../src/core/decide/decision.ts'
import type { Cost } from '../../src/core/model/meter.ts'
import type { Clock } from '../../src/core/ports/platform.ts'
import { shortPause, systemClock } from '../../src/platform/runtime.ts'
import type { Scenario } from './scenario.ts'
import { createShiftedClock } from './shifted-clock.ts'
import type { Admission } from './use.ts'

/** The outcomes of all requests in a scenario. */
export interface ScenarioLog {
  readonly admissions: readonly Admission[]
  readonly requests: number
  readonly denied: number
  /** Decisions made without the store; those that allow are included in `admissions`. */
  readonly degraded: number
  /** Requests that threw an error. */
  readonly errors: number
  readonly writes: number
  readonly reads: number
}

interface Tally {
  requests: number
  denied: number
  degraded: number
  errors: number
}

const MINUTE_NS = 60_000_000_000n
/** Seconds. */
const MOST_OF_A_MINUTE = 58

/**
 * All callers of all nodes start at the same moment and send their next request as soon as they have a response. The
 * nodes' clocks agree: on them a minute has just begun, or ends halfway through the run.
 */
export const runScenario = async (table: BenchTable, scenario: Scenario): Promise<ScenarioLog> => {
  const { load } = scenario
  await scenario.prepare(table)
  const clock = createShiftedClock(
    untilMinuteEnds(scenario.isMinuteCut ? load.seconds / 2 : MOST_OF_A_MINUTE),
  )
  const nodes = await Promise.all(Array.from({ length: load.nodes }, () => table.join(clock)))
  try {
    await Promise.all(nodes.map((node) => readAll(node, scenario)))
    const before = callsOf(nodes)
    const { admissions, tally } = await sendAll(nodes, clock, scenario)
    const after = callsOf(nodes)
    return { admissions, ...tally, writes: after.writes - before.writes, reads: after.reads - before.reads }
  } finally {
    for (const node of nodes) node.close()
  }
}

/** Reads the configuration in advance, so that a decision does not wait for it. */
const readAll = async ({ limiter }: BenchNode, { entityIds, request }: Scenario): Promise<void> => {
  for (const [index] of entityIds.entries())
    await limiter.decide({ ...request(index), settles: false, dryRun: true })
}

const sendAll = async (nodes: readonly BenchNode[], clock: Clock, scenario: Scenario) => {
  const { callers, total = callers * nodes.length, seconds } = scenario.load
  const admissions: Admission[] = []
  const tally: Tally = { requests: 0, denied: 0, degraded: 0, errors: 0 }
  const end = performance.now() + seconds * 1000
  const failed = (error: unknown): undefined => {
    tally.errors++
    if (tally.errors === 1) console.error(error)
  }
  const call = async (node: BenchNode): Promise<void> => {
    while (performance.now() < end) {
      const admission = await sendOnce(node, clock, scenario, tally).catch(failed)
      if (admission) admissions.push(admission)
    }
  }
  const dealt = Array.from({ length: total }, (_, index) => nodes[index % nodes.length] ?? [])
  await Promise.all(dealt.flat().map(call))
  return { admissions, tally }
}

const sendOnce = async (
  { limiter }: BenchNode,
  clock: Clock,
  { request, used }: Scenario,
  tally: Tally,
): Promise<Admission | undefined> => {
  const index = tally.requests++
  // without a settlement the charge stays, and the reservation contains the time of the charge
  const toSend = { ...request(index), settles: true }
  const sentAt = clock.now()
  const decision = await limiter.decide(toSend)
  count(tally, decision)
  if (!decision.allowed) return undefined
  const { entityId, cost } = toSend
  const chargedAt = decision.reservation.charges.parts.map(({ receipt }) => receipt?.chargedAt ?? sentAt)
  const admission = { sentAt, chargedAt, receivedAt: clock.now(), entityId, reserved: cost }
  if (used === undefined) return admission
  const actual = used(cost, index)
  return { ...admission, settled: await settle(decision.reservation, actual, clock) }
}

/** Settles after a short pause, as if a model had generated a response. */
const settle = async (reservation: Reservation, used: Cost, clock: Clock) => {
  await shortPause()
  const calledAt = clock.now()
  await reservation.settle(used)
  return { used, calledAt, doneAt: clock.now() }
}

const count = (tally: Tally, decision: Decision): void => {
  if (decision.degraded) tally.degraded++
  else if (!decision.allowed) tally.denied++
}

const callsOf = (nodes: readonly BenchNode[]) => ({
  writes: nodes.reduce((sum, { calls }) => sum + calls.writes, 0),
  reads: nodes.reduce((sum, { calls }) => sum + calls.reads, 0),
})

/** The shift after which the current minute of the clock ends in `seconds`. */
const untilMinuteEnds = (seconds: number): bigint =>
  MINUTE_NS - ((systemClock.now() + BigInt(Math.round(seconds * 1e9))) % MINUTE_NS)
