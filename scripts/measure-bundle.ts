import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { bundleDashboard } from '../lib/bundle-dashboard.ts'
import { API_SOURCE, bundleLambda } from '../lib/bundle-lambda.ts'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { filesAtStart } from './bundle-contents.ts'
import { type LambdaStart, startLambda } from './lambda-start.ts'
import { ScriptError } from './run-command.ts'

const MOST_KB = 600
/** A target, not a bound: it takes longer on a busy machine, whatever the bundle. */
const GOAL_MS = 100
const MOST_DASHBOARD_KB = 150
const STARTS = 15

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const spread = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(0)} to ${median(values).toFixed(0)}`

/** The transferred size of all files of the dashboard that a browser loads, including charts. */
const measureDashboard = async (): Promise<number> => {
  const packed = [...(await bundleDashboard())].filter(([name]) => name.endsWith('.gz'))
  for (const [name, { length }] of packed)
    console.log(`${(length / 1000).toFixed(1).padStart(8)} KB  ${name}`)
  const kilobytes = packed.reduce((sum, [, { length }]) => sum + length, 0) / 1000
  console.log(`The dashboard takes ${kilobytes.toFixed(0)} KB, compressed (at most ${MOST_DASHBOARD_KB}).`)
  return kilobytes
}

const measure = async (directory: string): Promise<void> => {
  const files = filesAtStart(bundleLambda(API_SOURCE, directory), 'index.mjs')
  for (const { path, bytes } of files)
    console.log(`${(bytes / 1000).toFixed(1).padStart(8)} KB  ${basename(path)}`)
  const kilobytes = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1000
  const starts: LambdaStart[] = []
  for (let i = 0; i < STARTS; i++) starts.push(await startLambda(directory))
  const readyMs = starts.map((start) => start.readyMs)
  const cpuMs = starts.map((start) => start.cpuMs)
  console.log(`The API Lambda loads ${kilobytes.toFixed(0)} KB at start (at most ${MOST_KB}), minified,`)
  console.log(
    `and is ready in ${spread(readyMs)} ms (at most ${GOAL_MS} where nothing else runs), of which the processor works ${spread(cpuMs)}: the least and the median of ${STARTS} starts.`,
  )
  const dashboardKilobytes = await measureDashboard()
  if (dashboardKilobytes > MOST_DASHBOARD_KB)
    throw new ScriptError(`the dashboard takes more than ${MOST_DASHBOARD_KB} KB`)
  if (kilobytes > MOST_KB) throw new ScriptError(`it loads more than ${MOST_KB} KB at start`)
}

const HELP = `npm run measure

Bundles the API's Lambda and the dashboard, prints their sizes and the time until the bundle is ready, and fails if one is too large.`

await runCommandLine({ command: 'npm run measure', help: HELP, options: {} }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-bundle-'))
  try {
    await measure(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
