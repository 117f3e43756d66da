import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Summary, together } from './summary.ts'

/** Longer than any run takes; with a planted fault a run may never end. */
const TIMEOUT_MS = 30 * 60_000
/**
 * One process per core leaves no core for the garbage collector; objects that live for a whole schedule should not be
 * copied.
 */
const NODE_OPTIONS = ['--single-threaded-gc', '--max-semi-space-size=32']

export interface Seeds {
  readonly first: number
  readonly last: number
  readonly step?: number
  /** True: stops at the first seed that fails. */
  readonly untilFailure?: boolean
}

/** Receives the summary of a part of the seeds as soon as it is complete. */
export type OnPart = (part: Summary) => void

/** Runs seeds in a child process, with the sources bundled in `script`. Throws if the process fails. */
export const runSeeds = async (script: string, seeds: Seeds, onPart: OnPart = () => {}): Promise<Summary> => {
  const { first, last, step = 1, untilFailure = false } = seeds
  const options = [...[first, last, step].map(String), ...(untilFailure ? ['first-failure'] : [])]
  const child = spawn(process.execPath, [...NODE_OPTIONS, script, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
  })
  const ended = once(child, 'close')
  let sum: Summary | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const part: Summary = JSON.parse(line)
    sum = sum ? together(sum, part) : part
    onPart(part)
  }
  const [code] = await ended
  if (code !== 0 || sum === undefined) throw new Error(`a process that runs seeds exited with ${code}`)
  return sum
}

/** Runs the same, divided among processes. */
export const runSeedsTogether = async (
  script: string,
  { first, last }: Pick<Seeds, 'first' | 'last'>,
  processes: number,
  onPart: OnPart,
): Promise<Summary> => {
  const parts = await Promise.all(
    Array.from({ length: Math.min(processes, last - first + 1) }, (_, index) =>
      runSeeds(script, { first: first + index, last, step: processes }, onPart),
    ),
  )
  return parts.reduce(together)
}
