import { markdownTable } from '../../verify/markdown.ts'
import { barChart } from '../charts/bar-chart.ts'
import { figure } from '../figure.ts'
import type { Chart, Finding, Goal, Part, PartOptions } from '../part.ts'
import { openBenchTable } from '../table.ts'
import { measureStores, type StoreRow } from './measure-stores.ts'
import { SCENARIOS, type ScenarioName } from './scenario.ts'

const CALLERS = 64
const KEYS = 1000

/** Decisions on one engine: the raw write, zael exact and leased, and rate-limiter-flexible. */
export const storesPart: Part = {
  name: 'stores',
  title: 'Decisions on one engine, side by side',
  async run({ isQuick, engineUrl, onProgress }: PartOptions): Promise<Finding> {
    const table = await openBenchTable(engineUrl)
    const length = isQuick
      ? { seconds: 0.3, rounds: 2, warmUpSeconds: 0.3 }
      : { seconds: 0.4, rounds: 10, warmUpSeconds: 0.6 }
    try {
      const rows = await measureStores(table, { callers: CALLERS, keys: KEYS, ...length }, onProgress)
      return findingOf(rows)
    } finally {
      await table.close()
    }
  },
}

export const findingOf = (rows: readonly StoreRow[]): Finding => ({
  rows,
  markdown: SCENARIOS.map(({ name, title }) => `### ${capital(title)}\n\n${tableOf(rows, name)}`).join(
    '\n\n',
  ),
  goals: goalsOf(rows),
  charts: chartsOf(rows),
})

const tableOf = (rows: readonly StoreRow[], scenario: ScenarioName): string =>
  markdownTable<StoreRow>(
    [
      ['', ({ title }) => title],
      ['decisions/s', ({ perSecond }) => figure(perSecond)],
      ['× rate-limiter-flexible', ({ ofFlexible }) => figure(ofFlexible)],
      ['× raw', ({ ofRaw }) => figure(ofRaw)],
      ['p50 ms', ({ p50Ms }) => figure(p50Ms)],
      ['p99 ms', ({ p99Ms }) => figure(p99Ms)],
      ['writes', ({ writesPerDecision }) => figure(writesPerDecision)],
      ['reads', ({ readsPerDecision }) => figure(readsPerDecision)],
      ['aggregator writes', ({ usageWritesPerDecision }) => figure(usageWritesPerDecision)],
      ['$ per million', ({ dollarsPerMillion }) => figure(dollarsPerMillion)],
    ],
    rows.filter((row) => row.scenario === scenario),
  )

const goalsOf = (rows: readonly StoreRow[]): readonly Goal[] => {
  const value = (scenario: ScenarioName, contender: string, field: keyof StoreRow): number =>
    Number(rows.find((row) => row.scenario === scenario && row.contender === contender)?.[field])
  const [least, most] = ['at least', 'at most'] as const
  return [
    goal('hot key, leased: × rate-limiter-flexible', value('hot-key', 'leased', 'ofFlexible'), least, 500),
    goal('hot key, leased: writes per decision', value('hot-key', 'leased', 'writesPerDecision'), most, 0.01),
    goal('hot key, exact: × rate-limiter-flexible', value('hot-key', 'exact', 'ofFlexible'), least, 1.6),
    goal('1000 keys, exact: × rate-limiter-flexible', value('many-keys', 'exact', 'ofFlexible'), least, 1.6),
    goal('1000 keys, exact: × raw', value('many-keys', 'exact', 'ofRaw'), least, 0.85),
    goal('repeated denials: per second', value('denied', 'leased', 'perSecond'), least, 500_000),
    goal(
      'repeated denials: writes per decision',
      value('denied', 'leased', 'writesPerDecision'),
      most,
      0.0001,
    ),
    goal(
      'hot parent, leased: writes per decision',
      value('cascade', 'leased', 'writesPerDecision'),
      most,
      1.05,
    ),
    goal('hot key: aggregator writes', value('hot-key', 'leased', 'usageWritesPerDecision'), most, 0.01),
    goal('1000 keys: aggregator writes', value('many-keys', 'leased', 'usageWritesPerDecision'), most, 0.5),
  ]
}

const goal = (what: string, value: number, bound: Goal['bound'], to: number): Goal => ({
  what,
  value,
  bound,
  goal: to,
})

const chartsOf = (rows: readonly StoreRow[]): readonly Chart[] => {
  const groups = (of: (row: StoreRow) => number) =>
    SCENARIOS.map(({ name, title }) => ({
      title,
      bars: rows
        .filter(({ scenario }) => scenario === name)
        .map((row) => ({ title: row.title, value: of(row) })),
    }))
  return [
    {
      file: 'bench-decisions.svg',
      svg: barChart({
        title: 'Decisions a second',
        unit: `${CALLERS} callers, one engine, one process`,
        scale: 'log',
        groups: groups(({ perSecond }) => perSecond),
      }),
    },
    {
      file: 'bench-dollars.svg',
      svg: barChart({
        title: 'What a million decisions cost in DynamoDB',
        unit: 'dollars, on demand, writes of the aggregator included',
        scale: 'log',
        groups: groups(({ dollarsPerMillion }) => dollarsPerMillion),
      }),
    },
  ]
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
