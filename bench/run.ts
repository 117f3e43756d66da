import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { machine } from './machine.ts'
import { measureSaturation } from './saturation.ts'
import { measureScenarios } from './scenarios.ts'
import { openBenchTable } from './table.ts'
import { measureThroughput } from './throughput.ts'

const HELP = `npm run bench [-- options]

Measures the limiter on a DynamoDB engine in this process, beside raw UpdateItems on the same engine in the same run.
Prints tables and writes bench/results/<date>.json. Machines differ, and so do moments: compare within one run.

  --quick           short rounds: a look, no figures to publish
  --only <part>     throughput, saturation or scenarios
  --help            this text`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const PARTS = ['throughput', 'saturation', 'scenarios']
if (values.help) {
  console.log(HELP)
} else if (values.only !== undefined && !PARTS.includes(values.only)) {
  console.error(`--only must be one of ${PARTS.join(', ')}`)
  process.exitCode = 1
} else {
  await run()
}

async function run(): Promise<void> {
  const isWanted = (part: string): boolean => values.only === undefined || values.only === part
  const table = await openBenchTable()
  const results: Record<string, readonly object[]> = {}
  const measure = async (
    part: string,
    title: string,
    rows: () => Promise<readonly object[]>,
  ): Promise<void> => {
    if (!isWanted(part)) return
    console.log(`\n${title} …`)
    results[part] = await rows()
    console.table(results[part].map(rounded))
  }
  try {
    const rounds = values.quick ? { seconds: 0.3, rounds: 4 } : { seconds: 0.4, rounds: 20 }
    await measure('throughput', 'Decisions beside raw conditional UpdateItems', () =>
      measureThroughput(table, rounds),
    )
    await measure('saturation', 'Admitted under saturation, 32 callers', () =>
      measureSaturation(table, values.quick ? 2 : 10),
    )
    await measure('scenarios', 'Requests to the engine per decision', () =>
      measureScenarios(table, values.quick ? 0.5 : 2),
    )
  } finally {
    await table.close()
  }
  const file = `bench/results/${new Date().toISOString().slice(0, 10)}.json`
  mkdirSync('bench/results', { recursive: true })
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), machine: machine(), results }, null, 2)}\n`,
  )
  console.log(`\n${machine()}\nwritten to ${file}`)
}

function rounded(row: object): object {
  const entries = Object.entries(row).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'number' ? Number(value.toFixed(Math.abs(value) < 100 ? 3 : 0)) : value,
  ])
  return Object.fromEntries(entries)
}
