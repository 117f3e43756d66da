import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/**
 * Preloaded into a server: replies to the message `longest block` with the longest block of the event loop since the
 * previous one, in ms. `longestBlockMs` is wall-clock time, which includes other processes on a busy machine;
 * `longestBlockCpuMs` is the processor time of this thread between two ticks of a timer, null if the platform does not
 * report it.
 */
const RESOLUTION_MS = 1
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delays.enable()

/** https://docs.kernel.org/scheduler/sched-stats.html: the first number is the time spent on the cpu, in ns. */
const threadCpuMs = (): number | null => {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6
  } catch {
    return null
  }
}

let before = threadCpuMs()
let longest = 0
setInterval(() => {
  const now = threadCpuMs()
  if (now !== null && before !== null) longest = Math.max(longest, now - before)
  before = now
}, RESOLUTION_MS).unref()

process.on('message', (message) => {
  if (message !== 'longest block') return
  process.send?.({
    longestBlockMs: Math.max(0, delays.max / 1e6 - RESOLUTION_MS),
    longestBlockCpuMs: before === null ? null : longest,
  })
  delays.reset()
  longest = 0
})
process.channel?.unref()
