import { type Counts, errorsOf, requestsOf } from './tally.ts'

const WIDTH = 30

const sum = (totals: readonly Counts[], of: (counts: Counts) => number): number =>
  totals.reduce((all, counts) => all + of(counts), 0)

/** One line: how far it is, and what has been counted. `share`: of the time, 0 to 1. */
export const progressLine = (totals: readonly Counts[], share: number): string => {
  const filled = Math.round(WIDTH * Math.min(1, share))
  const bar = '#'.repeat(filled).padEnd(WIDTH, '.')
  const count = (of: (counts: Counts) => number): string => sum(totals, of).toLocaleString('en')
  const percent = Math.floor(Math.min(1, share) * 100)
  return `[${bar}] ${percent} %  ${count(requestsOf)} requests, ${count(({ throttled }) => throttled)} throttled, ${count(errorsOf)} errors`
}

/** A line that is written over again and again, on a terminal; nothing anywhere else. */
export const createProgress = (stream: NodeJS.WriteStream, durationMs: number) => {
  const beganMs = performance.now()
  const write = (text: string): void => {
    if (stream.isTTY) stream.write(`\r${text}\u001b[K`)
  }
  return {
    show: (totals: readonly Counts[]): void =>
      write(progressLine(totals, (performance.now() - beganMs) / durationMs)),
    clear: (): void => write(''),
  }
}
