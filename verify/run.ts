import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { machine } from '../bench/machine.ts'
import { withSection } from './markdown.ts'
import { overAdmissionPart } from './over-admission/part.ts'
import type { Finding, Part } from './part.ts'
import { simulationPart } from './simulation/part.ts'
import { traceOf } from './simulation/trace.ts'
import { sizesPart } from './sizes/part.ts'

const HELP = `npm run verify [-- options]

Holds what zael promises against what it does. Ends with 1 where something is over.

  over-admission    admitted beside allowed, for every algorithm, on a DynamoDB engine in this process: the callers of
                    several nodes, each with its own client and caches, ask at once for the same buckets. What is allowed
                    is counted from the log of admissions and their times alone.
  sizes             how large items become by DynamoDB's rules, and the longest expressions that write them.
  simulation        the limiter itself on several nodes and a table that fail, in simulated time, by seeds; then with planted
                    faults, each of which some seed must show.

  --only <name>     one part, or the scenarios of over-admission whose names begin so
  --nodes <n>       8 unless told
  --callers <n>     of each node, 200 unless told; where a decision takes several writes, a quarter of that
  --seconds <n>     how long they ask again, 2 unless told; all are answered, which takes longer
  --schedules <n>   of the simulation, 20000 unless told
  --from <n>        the first of their seeds, 1 unless told
  --seed <n>        runs the schedule of one seed, and tells all that happens in it
  --json            rows as JSON
  --report <file>   how many checks passed and failed, as JSON that .ci/run adds up
  --write           put the tables into docs/accuracy.md
  --help            this text`

const DOCUMENT = 'docs/accuracy.md'
/** Seeds that a planted fault may take; most take under a hundred. */
const HUNTED = 1500

const { values } = parseArgs({
  options: {
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
    help: { type: 'boolean', default: false },
  },
})

if (values.help) console.log(HELP)
else if (values.seed !== undefined) await trace(Number(values.seed))
else await run()

async function trace(seed: number): Promise<void> {
  if (!Number.isInteger(seed) || seed < 0) throw new Error('--seed must be a whole number')
  const { text, isWrong } = await traceOf(seed)
  console.log(text)
  if (isWrong) process.exitCode = 1
}

async function run(): Promise<void> {
  const load = { nodes: count('nodes'), callers: count('callers'), seconds: count('seconds') }
  const onProgress = (text: string): void => console.error(text)
  const over = { load, onProgress }
  const simulation = simulationPart({
    schedules: count('schedules'),
    from: count('from'),
    hunted: HUNTED,
    onProgress,
  })
  const parts = [overAdmissionPart(over), sizesPart, simulation]
  const { only } = values
  const named = parts.filter(({ name }) => only === undefined || name === only)
  const chosen = named.length > 0 ? named : [overAdmissionPart({ ...over, only: only ?? '' })]
  const findings: Finding[] = []
  for (const part of chosen) findings.push(await verify(part))
  if (values.report !== undefined) report(values.report, findings)
}

/** As vitest reports tests. */
function report(file: string, findings: readonly Finding[]): void {
  const numPassedTests = findings.reduce((sum, { passed }) => sum + passed, 0)
  const numFailedTests = findings.reduce((sum, { failed }) => sum + failed, 0)
  writeFileSync(file, JSON.stringify({ success: numFailedTests === 0, numPassedTests, numFailedTests }))
}

async function verify(part: Part): Promise<Finding> {
  const started = performance.now()
  const finding = await part.run()
  show(part, finding, Math.round((performance.now() - started) / 1000))
  if (finding.rows.length === 0) throw new Error(`--only ${values.only} names nothing; see --help`)
  if (values.write) publish(part, finding)
  if (finding.failures.length > 0) process.exitCode = 1
  return finding
}

function show(part: Part, { rows, markdown, failures }: Finding, seconds: number): void {
  console.log(values.json ? JSON.stringify(rows, null, 2) : `\n${part.title} (${seconds} s)\n\n${markdown}\n`)
  console.error(failures.length === 0 ? `${part.name}: nothing over` : failures.join('\n'))
}

function publish({ name }: Part, { markdown }: Finding): void {
  const day = new Date().toISOString().slice(0, 10)
  const heading = `\`npm run verify${options()}\` on ${day}: ${machine()}.`
  const document = readFileSync(DOCUMENT, 'utf8')
  writeFileSync(DOCUMENT, withSection(document, name, `${heading}\n\n${markdown}`))
}

/** The options as they were given, `--write` aside. */
function options(): string {
  const given = process.argv.slice(2).filter((option) => option !== '--write')
  return given.length > 0 ? ` -- ${given.join(' ')}` : ''
}

function count(name: 'nodes' | 'callers' | 'seconds' | 'schedules' | 'from'): number {
  const value = Number(values[name])
  if (!Number.isFinite(value) || value <= 0 || (name !== 'seconds' && !Number.isInteger(value)))
    throw new Error(`--${name} must be a positive number, and whole unless it is seconds`)
  return value
}
