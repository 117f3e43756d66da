import type { Decision, DecisionRequest } from '../../src/core/decide/decision.ts'
import { runLoops } from '../measure.ts'
import type { BenchTable } from '../table.ts'

export interface RequestsRow {
  readonly scenario: string
  readonly decisions: number
  readonly writesPerDecision: number
  readonly readsPerDecision: number
}

interface Scenario {
  readonly name: string
  readonly request: DecisionRequest
  /** What follows the decision. */
  readonly after?: (decision: Decision) => Promise<void>
}

const LARGE = { rpm: [1_000_000_000, 1], tpm: [1_000_000_000, 1] } as const
const BUDGET = {
  name: 'usd_day',
  meter: 'cost_usd_micros',
  algorithm: 'fixed_window',
  limit: 1_000_000_000_000,
  window: 'day',
}

/** One at a time: shared requests are measured elsewhere. */
const CALLERS = 1

const settleTo = (tokens: number) => async (decision: Decision) => {
  if (decision.allowed) await decision.reservation.settle({ requests: 1, tokens })
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'one bucket, known cost',
    request: { entityId: 'alone', cost: { requests: 1, tokens: 10 }, settles: false },
  },
  {
    name: 'one bucket, settled to what was reserved',
    request: { entityId: 'exact', cost: { requests: 1, tokens: 10 }, settles: true },
    after: settleTo(10),
  },
  {
    name: 'one bucket, settled to less (chat)',
    request: { entityId: 'chat', cost: { requests: 1, tokens: 100 }, settles: true },
    after: settleTo(40),
  },
  {
    name: 'one bucket with a budget in dollars, settled to less (chat)',
    request: { entityId: 'budget', cost: { requests: 1, cost_usd_micros: 1000 }, settles: true },
    after: async (decision) => {
      if (decision.allowed) await decision.reservation.settle({ requests: 1, cost_usd_micros: 400 })
    },
  },
  {
    name: 'one request in flight, from its start to its end',
    request: { entityId: 'in-flight', cost: { requests: 1 }, settles: true },
    after: async (decision) => {
      if (decision.allowed) await decision.reservation.settle({ requests: 1 })
    },
  },
  {
    name: 'key and its project, known cost',
    request: { entityId: 'child', cost: { requests: 1, tokens: 10 }, settles: false },
  },
  {
    name: 'key and its project, settled to less (chat)',
    request: { entityId: 'chat-child', cost: { requests: 1, tokens: 100 }, settles: true },
    after: settleTo(40),
  },
  { name: 'denied', request: { entityId: 'denied', cost: { requests: 1 }, settles: false } },
  {
    name: 'denied by the key, which has a project',
    request: { entityId: 'denied-child', cost: { requests: 1 }, settles: false },
  },
  {
    name: 'larger than the capacity',
    request: { entityId: 'denied', cost: { requests: 2 }, settles: false },
  },
]

/** The requests to the engine for each kind of decision, in steady state. */
export const measureRequests = async (
  table: BenchTable,
  seconds: number,
): Promise<readonly RequestsRow[]> => {
  await table.addEntity('project', LARGE)
  for (const id of ['alone', 'exact', 'chat']) await table.addEntity(id, LARGE)
  await table.addLimited('budget', [BUDGET])
  await table.addLimited('in-flight', [{ name: 'in_flight', algorithm: 'concurrency', limit: 5 }])
  for (const id of ['child', 'chat-child']) await table.addEntity(id, LARGE, 'project')
  await table.addEntity('denied', { rpd: [1, 1 / 86_400] })
  await table.addEntity('denied-child', { rpd: [1, 1 / 86_400] }, 'project')
  const rows: RequestsRow[] = []
  for (const scenario of SCENARIOS) rows.push(await measureOne(table, scenario, seconds))
  return rows
}

const measureOne = async (
  table: BenchTable,
  { name, request, after }: Scenario,
  seconds: number,
): Promise<RequestsRow> => {
  const once = async (): Promise<void> => {
    const decision = await table.limiter.decide(request)
    await after?.(decision)
  }
  await once()
  await once()
  await table.limiter.flush({ all: true })
  const before = { ...table.calls }
  const { operations } = await runLoops(CALLERS, seconds, once)
  await table.limiter.flush({ all: true })
  return {
    scenario: name,
    decisions: operations,
    writesPerDecision: (table.calls.writes - before.writes) / operations,
    readsPerDecision: (table.calls.reads - before.reads) / operations,
  }
}
