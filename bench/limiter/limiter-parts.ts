import { markdownTable } from '../../verify/markdown.ts'
import { figure } from '../figure.ts'
import type { Part } from '../part.ts'
import { openBenchTable } from '../table.ts'
import { type CheckRow, measureChecks } from './checks.ts'
import { type AloneRow, measureAlone } from './decide-alone.ts'
import { measureRequests, type RequestsRow } from './requests.ts'
import { measureSaturation, type SaturationRow } from './saturation.ts'

export const saturationPart: Part = {
  name: 'saturation',
  title: 'Admitted under saturation, 32 callers, exact',
  async run({ isQuick, engineUrl }) {
    const table = await openBenchTable(engineUrl)
    try {
      const rows = await measureSaturation(table, isQuick ? 1 : 5)
      const markdown = markdownTable<SaturationRow>(
        [
          ['limit per s', ({ limitPerSecond }) => limitPerSecond],
          ['requests', ({ requests }) => requests],
          ['allowed', ({ allowed }) => allowed],
          ['admitted', ({ admitted }) => admitted],
          ['of allowed', ({ ofAllowed }) => figure(ofAllowed)],
          ['writes per decision', ({ writesPerDecision }) => figure(writesPerDecision)],
        ],
        rows,
      )
      return { rows, markdown, goals: [], charts: [] }
    } finally {
      await table.close()
    }
  },
}

export const requestsPart: Part = {
  name: 'requests',
  title: 'Requests to the engine per decision, one caller, exact',
  async run({ isQuick, engineUrl }) {
    const table = await openBenchTable(engineUrl)
    try {
      const rows = await measureRequests(table, isQuick ? 0.3 : 1)
      const markdown = markdownTable<RequestsRow>(
        [
          ['', ({ scenario }) => scenario],
          ['writes', ({ writesPerDecision }) => writesPerDecision.toFixed(2)],
          ['reads', ({ readsPerDecision }) => readsPerDecision.toFixed(2)],
        ],
        rows,
      )
      return { rows, markdown, goals: [], charts: [] }
    } finally {
      await table.close()
    }
  },
}

export const addedPart: Part = {
  name: 'added',
  title: 'What the limiter adds to a request on a leased hot key',
  async run({ isQuick, engineUrl }) {
    const table = await openBenchTable(engineUrl)
    try {
      const row = await measureAlone(table, isQuick ? 1 : 5)
      const markdown = markdownTable<AloneRow>(
        [
          ['decisions', ({ decisions }) => figure(decisions)],
          ['p50 µs', ({ p50Us }) => figure(p50Us)],
          ['p99 µs', ({ p99Us }) => figure(p99Us)],
          ['most ms', ({ mostMs }) => figure(mostMs)],
        ],
        [row],
      )
      const goal = { what: 'p99 added, ms', value: row.p99Us / 1000, bound: 'at most', goal: 1 } as const
      return { rows: [row], markdown, goals: [goal], charts: [] }
    } finally {
      await table.close()
    }
  },
}

/** µs: a check in memory or on a lease, on one key and over 10,000. */
const MOST_US: Readonly<Record<string, number>> = { one: 1, '10,000': 1.5 }

export const checksPart: Part = {
  name: 'checks',
  title: 'A check in memory or on a lease, CPU per call',
  async run({ isQuick, engineUrl }) {
    const calls = isQuick ? 50_000 : 300_000
    const rows = await measureChecks({ calls, rounds: 5, keys: 10_000, engineUrl })
    const markdown = markdownTable<CheckRow>(
      [
        ['limiter', ({ limiter }) => limiter],
        ['store', ({ store }) => store],
        ['keys', ({ keys }) => keys],
        ['CPU, µs', ({ cpuUs }) => figure(cpuUs)],
      ],
      rows,
    )
    const goals = rows.flatMap(({ limiter, store, keys, cpuUs }) => {
      const most = limiter === 'zael' ? MOST_US[keys] : undefined
      if (most === undefined) return []
      return [{ what: `${store}, ${keys} key(s), µs`, value: cpuUs, bound: 'at most', goal: most } as const]
    })
    return { rows, markdown, goals, charts: [] }
  },
}
