import { readFileSync, writeFileSync } from 'node:fs'
import { machine } from '../bench/machine.ts'
import { type OptionValues, runCommandLine, UserError } from '../src/command-line/command-line.ts'
import { BUDGET_LOAD, budgetsPart } from './budgets/part.ts'
import { withSection } from './markdown.ts'
import { overAdmissionPart } from './over-admission/part.ts'
import { overAdmissionScenarios } from './over-admission/scenarios.ts'
import type { Finding, Part } from './part.ts'
import { simulationPart } from './simulation/part.ts'
import { traceOf } from './simulation/trace.ts'
import { sizesPart } from './sizes/part.ts'

const HELP = `npm run verify [-- options]

Checks zael's guarantees by measurement and simulation. Exits with 1 if one is violated.

  over-admission    the admitted and the allowed amount, for every algorithm, on a DynamoDB engine in this process: the
                    callers of several nodes, each with its own client and caches, send requests for the same buckets
                    concurrently. The allowed amount is computed only from the log of admissions and their times.
  budgets           what 64 callers on 3 nodes spend, and what their budgets allow, with prices of caches, tiers, long
                    contexts and images, on a DynamoDB engine in this process.
  sizes             the maximum sizes of items by DynamoDB's rules, and the longest expressions that write them.
  simulation        the limiter on several nodes and a table that fail, in simulated time, by seeds; then with planted
                    faults, each of which a seed must find.

  --only <name>     one part, or the over-admission scenarios whose names start with it
  --nodes <n>       default 8
  --callers <n>     per node, default 200; if a decision takes several writes, a quarter of that
  --seconds <n>     how long callers send requests, default 2; requests in progress are awaited, which takes longer
  --schedules <n>   of the simulation, default 20000
  --from <n>        the first of their seeds, default 1
  --seed <n>        runs the schedule of one seed, and prints all its events
  --json            rows as JSON
  --report <file>   the number of passed and failed checks, as JSON that .ci/run adds up
  --write           updates the tables in docs/accuracy.md
  -h, --help        this text`

const DOCUMENT = 'docs/accuracy.md'
/** The maximum number of seeds per planted fault; most need fewer than a hundred. */
const HUNTED = 2500

const OPTIONS = {
  only: { type: 'string' },
  nodes: { type: 'string', default: '8' },
  callers: { type: 'string', default: '200' },
  seconds: { type: 'string', default: '2' },
  schedules: { type: 'string', default: '20000' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  json: { type: 'boolean', default: false },
  report: { type: 'string' },
  write: { type: 'boolean', default: false },
} as const

type Values = OptionValues<typeof OPTIONS>

await runCommandLine({ command: 'npm run verify', help: HELP, options: OPTIONS }, ({ values }) =>
  values.seed === undefined ? run(values) : trace(values.seed),
)

async function trace(seed: string): Promise<void> {
  if (!/^\d{1,15}$/.test(seed)) throw new UserError('--seed must be a whole number')
  const { text, isWrong } = await traceOf(Number(seed))
  console.log(text)
  if (isWrong) process.exitCode = 1
}

async function run(values: Values): Promise<void> {
  const findings: Finding[] = []
  for (const part of partsOf(values)) findings.push(await verify(part, values))
  if (values.report !== undefined) report(values.report, findings)
}

/** The parts that `--only` selects: the part of that name, or the over-admission scenarios whose names start with it. */
function partsOf(values: Values): readonly Part[] {
  const load = {
    nodes: count(values, 'nodes'),
    callers: count(values, 'callers'),
    seconds: count(values, 'seconds'),
  }
  const onProgress = (text: string): void => console.error(text)
  const simulation = simulationPart({
    schedules: count(values, 'schedules'),
    from: count(values, 'from'),
    hunted: HUNTED,
    onProgress,
  })
  const parts = [
    overAdmissionPart({ load, onProgress }),
    budgetsPart({ load: BUDGET_LOAD, onProgress }),
    sizesPart,
    simulation,
  ]
  const { only } = values
  const named = parts.filter(({ name }) => only === undefined || name === only)
  if (named.length > 0 || only === undefined) return named
  const scenarios = overAdmissionScenarios(load).map(({ name }) => name)
  if (only !== '' && scenarios.some((name) => name.startsWith(only))) {
    return [overAdmissionPart({ load, onProgress, only })]
  }
  throw new UserError(
    `--only must be one of ${parts.map(({ name }) => name).join(', ')}, or begin the name of a scenario: ${scenarios.join(', ')}`,
  )
}

/** The same format as vitest's JSON report. */
function report(file: string, findings: readonly Finding[]): void {
  const numPassedTests = findings.reduce((sum, { passed }) => sum + passed, 0)
  const numFailedTests = findings.reduce((sum, { failed }) => sum + failed, 0)
  writeFileSync(file, JSON.stringify({ success: numFailedTests === 0, numPassedTests, numFailedTests }))
}

async function verify(part: Part, { json, write }: Values): Promise<Finding> {
  const started = performance.now()
  const finding = await part.run()
  show(part, finding, json, Math.round((performance.now() - started) / 1000))
  if (write) publish(part, finding)
  if (finding.failures.length > 0) process.exitCode = 1
  return finding
}

function show(part: Part, { rows, markdown, failures }: Finding, json: boolean, seconds: number): void {
  console.log(json ? JSON.stringify(rows, null, 2) : `\n${part.title} (${seconds} s)\n\n${markdown}\n`)
  console.error(failures.length === 0 ? `${part.name}: no violations` : failures.join('\n'))
}

function publish({ name }: Part, { markdown }: Finding): void {
  const day = new Date().toISOString().slice(0, 10)
  const heading = `\`npm run verify${options()}\` on ${day}: ${machine()}.`
  const document = readFileSync(DOCUMENT, 'utf8')
  writeFileSync(DOCUMENT, withSection(document, name, `${heading}\n\n${markdown}`))
}

/** The options as given, except `--write`. */
function options(): string {
  const given = process.argv.slice(2).filter((option) => option !== '--write')
  return given.length > 0 ? ` -- ${given.join(' ')}` : ''
}

function count(values: Values, name: 'nodes' | 'callers' | 'seconds' | 'schedules' | 'from'): number {
  const value = Number(values[name])
  if (name === 'seconds' && Number.isFinite(value) && value > 0) return value
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new UserError(`--${name} must be a positive ${name === 'seconds' ? 'number' : 'whole number'}`)
}
