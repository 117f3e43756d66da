import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Summary, together } from './summary.ts'

/** Beyond what any run takes; with a planted fault it may never end. */
const TIMEOUT_MS = 30 * 60_000
/** Every core has its own process, so none is left for collecting; what lives for one schedule is not to be moved about. */
const NODE_OPTIONS = ['--single-threaded-gc', '--max-semi-space-size=32']

export interface Seeds {
  readonly first: number
  readonly last: number
  readonly step?: number
  /** True: ends with the first seed that fails. */
  readonly untilFailure?: boolean
}

/** Told what a part of the seeds came to, as soon as it is known. */
export type OnPart = (part: Summary) => void

/** Runs seeds in a process of their own, with the sources that are bundled in `script`. Throws where the process fails. */
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
  if (code !== 0 || sum === undefined) throw new Error(`a process that runs seeds has ended with ${code}`)
  return sum
}

/** The same, divided between processes. */
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
