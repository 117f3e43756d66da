import { shareUsed } from './invariants/used-up.ts'
import type { RunLog } from './run-log.ts'
import { amountOf } from './schedule/draw-entities.ts'
import { hasTransition, isCalm } from './schedule/schedule.ts'
import { type Failure, failureOf } from './simulate.ts'

/** The totals of several schedules. The sum of two summaries is a summary. */
export interface Summary {
  readonly counts: Readonly<Record<CountName, number>>
  /** The smallest admitted share of the allowed amount under steady demand: of calm schedules, and of those with faults. */
  readonly leastShare: { readonly calm: number; readonly faulty: number }
  /** The longest wait of a request in ns, without the time its node was frozen. */
  readonly longestWaitNs: number
  readonly failures: readonly Failure[]
}

const COUNTED = {
  schedules: () => 1,
  'schedules without faults': ({ schedule }) => (isCalm(schedule) ? 1 : 0),
  requests: ({ requests }) => requests.length,
  'of these admitted': ({ requests }) => requests.filter(({ response }) => response?.isAllowed).length,
  'writes applied': ({ writes }) => writes.length,
  'responses lost after a write': ({ writes }) => writes.filter(({ end }) => !end.isReceived).length,
  crashes: ({ schedule }) => faultsIn(schedule, 'crash'),
  freezes: ({ schedule }) => faultsIn(schedule, 'freeze'),
  'clocks set': ({ schedule }) => faultsIn(schedule, 'step'),
  resets: ({ resets }) => resets.length,
  'limits changed': ({ schedule }) => schedule.changes.length,
  'schedules with limits of another size at a time': ({ schedule }) => (hasTransition(schedule) ? 1 : 0),
  'schedules with limits that warn, or with `on_unavailable`': (log) => (hasModes(log) ? 1 : 0),
  'schedules with policies': ({ schedule }) => (schedule.policies.length > 0 ? 1 : 0),
  'schedules with limits of requests in flight': ({ schedule }) => (schedule.slots === undefined ? 0 : 1),
  'schedules with windows from their first use on': ({ schedule }) => (hasSize(schedule, 'run') ? 1 : 0),
  'schedules with budgets': ({ schedule }) => (hasBudgets(schedule) ? 1 : 0),
  'schedules with limits of each user or session': ({ schedule }) =>
    schedule.policies.some(({ named }) => named !== undefined) ? 1 : 0,
  'requests that cost no tokens': ({ requests }) => requests.filter(({ tokens }) => tokens === 0).length,
  'schedules with paused limits': ({ schedule }) => (hasPaused(schedule) ? 1 : 0),
  'settlements to what callers claim': ({ requests }) =>
    requests.filter(({ ending }) => ending?.by === 'caller').length,
} as const satisfies Record<string, (log: RunLog) => number>

export type CountName = keyof typeof COUNTED

export const COUNT_NAMES = Object.keys(COUNTED).filter((name): name is CountName => name in COUNTED)

const hasModes = ({ schedule }: RunLog): boolean =>
  [...schedule.entities, ...schedule.policies].some(({ limits }) =>
    limits.some(({ mode, onUnavailable }) => mode !== undefined || onUnavailable !== undefined),
  )

const hasSize = ({ entities, policies, changes }: RunLog['schedule'], kind: string): boolean =>
  [...entities, ...policies, ...changes].some(({ limits }) => limits.some(({ size }) => size.kind === kind))

const hasBudgets = ({ entities }: RunLog['schedule']): boolean =>
  entities.some(({ limits }) => limits.some(({ meter }) => meter === 'cost_usd_micros'))

const hasPaused = ({ entities, policies, changes }: RunLog['schedule']): boolean =>
  [...entities, ...policies, ...changes].some(({ limits }) => limits.some(({ size }) => amountOf(size) === 0))

const faultsIn = ({ faults }: RunLog['schedule'], kind: string): number =>
  faults.filter(({ fault }) => fault === kind).length

export const summaryOf = (log: RunLog): Summary => {
  const share = shareUsed(log) ?? Number.POSITIVE_INFINITY
  const failure = failureOf(log)
  const none = Number.POSITIVE_INFINITY
  return {
    counts: countsOf((name) => COUNTED[name](log)),
    leastShare: isCalm(log.schedule) ? { calm: share, faulty: none } : { calm: none, faulty: share },
    longestWaitNs: Math.max(0, ...log.requests.map(waitNs)),
    failures: failure ? [failure] : [],
  }
}

const waitNs = ({ requestedNs, response }: RunLog['requests'][number]): number =>
  response ? response.atNs - requestedNs - response.frozenNs : 0

export const together = (a: Summary, b: Summary): Summary => ({
  counts: countsOf((name) => a.counts[name] + b.counts[name]),
  leastShare: {
    calm: Math.min(a.leastShare.calm, b.leastShare.calm),
    faulty: Math.min(a.leastShare.faulty, b.leastShare.faulty),
  },
  longestWaitNs: Math.max(a.longestWaitNs, b.longestWaitNs),
  failures: [...a.failures, ...b.failures],
})

const countsOf = (count: (name: CountName) => number): Record<CountName, number> => ({
  schedules: count('schedules'),
  'schedules without faults': count('schedules without faults'),
  requests: count('requests'),
  'of these admitted': count('of these admitted'),
  'writes applied': count('writes applied'),
  'responses lost after a write': count('responses lost after a write'),
  crashes: count('crashes'),
  freezes: count('freezes'),
  'clocks set': count('clocks set'),
  resets: count('resets'),
  'limits changed': count('limits changed'),
  'schedules with limits of another size at a time': count('schedules with limits of another size at a time'),
  'schedules with policies': count('schedules with policies'),
  'schedules with limits of requests in flight': count('schedules with limits of requests in flight'),
  'schedules with windows from their first use on': count('schedules with windows from their first use on'),
  'schedules with budgets': count('schedules with budgets'),
  'schedules with limits of each user or session': count('schedules with limits of each user or session'),
  'requests that cost no tokens': count('requests that cost no tokens'),
  'schedules with paused limits': count('schedules with paused limits'),
  'settlements to what callers claim': count('settlements to what callers claim'),
  'schedules with limits that warn, or with `on_unavailable`': count(
    'schedules with limits that warn, or with `on_unavailable`',
  ),
})
