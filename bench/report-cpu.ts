import { readFileSync } from 'node:fs'

/** The processor time of a process since its start, user and system, in µs. */
export interface ProcessorTime {
  /** Of all its threads. */
  readonly all: number
  /** Of the thread that serves requests; null where the system does not report threads. */
  readonly mainThread: number | null
}

/** Of the thread with the id of the process: Linux counts it in ns (proc_pid_schedstat). */
const mainThreadMicros = (): number | null => {
  try {
    const [ns] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')
    return Number(ns) / 1000
  } catch {
    return null
  }
}

/** Preloaded into a server: replies to the message `cpu` with its `ProcessorTime`. */
process.on('message', (message) => {
  if (message !== 'cpu') return
  const { user, system } = process.cpuUsage()
  const time: ProcessorTime = { all: user + system, mainThread: mainThreadMicros() }
  process.send?.(time)
})
process.channel?.unref()
