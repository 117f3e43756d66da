import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type OptionValues, runCommandLine, UserError } from '../src/command-line/command-line.ts'
import { connectionFailure } from '../src/command-line/failure.ts'
import { markdownTable, withSection } from '../verify/markdown.ts'
import { appPart } from './app/app-part.ts'
import { figure } from './figure.ts'
import { gatewayPart } from './gateway/gateway-part.ts'
import { hostilePart } from './http/hostile-part.ts'
import { httpPart } from './http/http-part.ts'
import { searchesPart } from './http/searches-part.ts'
import { addedPart, checksPart, requestsPart, saturationPart } from './limiter/limiter-parts.ts'
import { loadAverage, machine } from './machine.ts'
import { memoryPart } from './memory/memory-part.ts'
import { type Finding, type Goal, isReached, type Part } from './part.ts'
import { startPart } from './start/start-part.ts'
import { storesPart } from './stores/stores-part.ts'

const HELP = `npm run bench [-- options]

Compares zael with alternatives in one run on one machine. The speed of machines differs and varies, so compare figures of
the same run only. Prints tables and writes bench/results/<date>.json.

  stores        decisions on one DynamoDB engine: raw UpdateItem, zael exact and leased, rate-limiter-flexible
  app           middlewares of the package and of others, in Hono and Express: CPU and requests per second
  http          the check and chat routes with a leased key, and a bare Hono handler
  gateway       calls of a model through zael, a bare pass-through, Portkey's gateway and LiteLLM's proxy
  hostile-bodies  other callers while one caller sends bodies made to take long
  searches      other callers while viewers search 10,000 entities
  added         the time that the limiter adds to a request on a leased hot key
  checks        limiter.check() in memory and on leases beside rate-limiter-flexible: CPU per call
  memory        the memory of a process after it has decided once for each of a million keys
  saturation    the share of the allowed amount that callers receive
  requests      requests to the engine for each kind of decision
  start         from npm start to the first responses, and until a Lambda of the API is ready

  --only <part>   one part
  --engine <url>  the DynamoDB to measure on (DynamoDB Local, MiniStack); default: one in this process
  --quick         short rounds, whose figures are not for publication
  --json          rows as JSON
  --write         updates the tables and charts in docs/benchmarks.md and docs/images
  -h, --help      this text`

const DOCUMENT = 'docs/benchmarks.md'
const PARTS: readonly Part[] = [
  storesPart,
  appPart,
  httpPart,
  gatewayPart,
  hostilePart,
  searchesPart,
  addedPart,
  checksPart,
  memoryPart,
  saturationPart,
  requestsPart,
  startPart,
]

const OPTIONS = {
  only: { type: 'string' },
  engine: { type: 'string' },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
} as const

type Values = OptionValues<typeof OPTIONS>

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
await runCommandLine({ command: 'npm run bench', help: HELP, options: OPTIONS }, async ({ values }) => {
  const chosen = partsOf(values)
  await requireEngine(values)
  await run(chosen, values)
})

function partsOf({ only }: Values): readonly Part[] {
  const chosen = PARTS.filter(({ name }) => only === undefined || name === only)
  if (chosen.length > 0) return chosen
  throw new UserError(`--only must be one of ${PARTS.map(({ name }) => name).join(', ')}, not ${only}`)
}

async function requireEngine({ engine }: Values): Promise<void> {
  if (engine === undefined) return
  if (!/^https?:/.test(engine) || !URL.canParse(engine)) {
    throw new UserError('--engine must be a URL that begins with http:// or https://')
  }
  const failure = await connectionFailure(engine)
  if (failure !== undefined) throw new UserError(`--engine ${engine} cannot be reached: ${failure}`)
}

async function run(chosen: readonly Part[], values: Values): Promise<void> {
  const results: Record<string, object> = {}
  for (const part of chosen) {
    const loadBefore = loadAverage()
    const finding = await part.run({
      isQuick: values.quick,
      engineUrl: values.engine,
      onProgress: (text) => console.error(`${part.name}: ${text}`),
    })
    results[part.name] = { loadBefore, rows: finding.rows, goals: finding.goals }
    show(part, finding, values)
    if (values.write) publish(part, finding, loadBefore)
  }
  const file = `bench/results/${today()}.json`
  mkdirSync('bench/results', { recursive: true })
  writeFileSync(file, `${JSON.stringify({ at: new Date(), machine: machine(), results }, null, 2)}\n`)
  console.error(`${machine()}; load ${loadAverage()}; written to ${file}`)
}

function show({ title }: Part, { rows, markdown, goals }: Finding, { json }: Values): void {
  console.log(json ? JSON.stringify(rows, null, 2) : `\n${title}\n\n${markdown}\n`)
  if (goals.length > 0 && !json) console.log(`${goalsTable(goals)}\n`)
}

function publish({ name }: Part, { markdown, goals, charts, excerpt }: Finding, loadBefore: string): void {
  for (const { file, svg } of charts) writeFileSync(`docs/images/${file}`, svg)
  const command = ['npm run bench', ...(given().length > 0 ? ['--', ...given()] : [])].join(' ')
  const heading = `\`${command}\` on ${today()}: ${machine()}; load average before ${loadBefore}, after ${loadAverage()}.`
  const pictures = charts.map(({ file }) => `![${file}](images/${file})`)
  const reached = goals.length > 0 ? [goalsTable(goals)] : []
  const section = [heading, ...pictures, markdown, ...reached].join('\n\n')
  replaceSection(DOCUMENT, name, section)
  if (excerpt) replaceSection(excerpt.document, name, `${heading}\n\n${excerpt.markdown}`)
}

function replaceSection(document: string, name: string, section: string): void {
  writeFileSync(document, withSection(readFileSync(document, 'utf8'), name, section))
}

function goalsTable(goals: readonly Goal[]): string {
  return markdownTable<Goal>(
    [
      ['goal', ({ what }) => what],
      ['', ({ bound, goal }) => `${bound} ${figure(goal)}`],
      ['here', ({ value }) => figure(value)],
      ['', (goal) => (isReached(goal) ? 'reached' : 'not reached')],
    ],
    goals,
  )
}

/** The options as given, except `--write`. */
function given(): readonly string[] {
  return process.argv.slice(2).filter((option) => option !== '--write')
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}
