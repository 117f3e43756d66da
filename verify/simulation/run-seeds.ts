import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Summary, together } from './summary.ts'

const run = promisify(execFile)
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
/** Beyond what any run takes; a mutation may never end. */
const TIMEOUT_MS = 20 * 60_000

/** The tree of files that this one is of. */
export const OWN_TREE = join(import.meta.dirname, '../..')

export interface Seeds {
  readonly first: number
  readonly last: number
  readonly step?: number
  /** True: ends with the first seed that fails. */
  readonly untilFailure?: boolean
}

/** Runs seeds in a process of their own, with the sources in `tree`. */
export const runSeeds = async (
  { first, last, step = 1, untilFailure = false }: Seeds,
  tree = OWN_TREE,
): Promise<Summary> => {
  const script = join(tree, 'verify/simulation/seeds-process.ts')
  const options = [first, last, step].map(String)
  const { stdout } = await run(
    process.execPath,
    ['--import', 'tsx', script, ...options, ...(untilFailure ? ['first-failure'] : [])],
    { cwd: tree, maxBuffer: MAX_OUTPUT_BYTES, timeout: TIMEOUT_MS },
  )
  return parsed(stdout)
}

/** The same, divided between processes. */
export const runSeedsTogether = async (schedules: number, processes: number): Promise<Summary> => {
  const parts = await Promise.all(
    Array.from({ length: processes }, (_, index) =>
      runSeeds({ first: index + 1, last: schedules, step: processes }),
    ),
  )
  return parts.reduce(together)
}

const parsed = (text: string): Summary => {
  const summary: Summary | null = JSON.parse(text)
  if (summary === null) throw new Error('no seed was run')
  return summary
}
