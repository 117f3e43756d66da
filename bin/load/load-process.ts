import { createHttpClient } from './http-client.ts'
import { createPayloads, runCallers } from './run-callers.ts'
import type { LoadCommand, LoadMessage } from './run-load.ts'
import { createTally } from './tally.ts'

type Begin = Extract<LoadCommand, { type: 'begin' }>

const PROGRESS_EVERY_MS = 250

const send = (message: LoadMessage): void => {
  process.send?.(message)
}

/** Runs this process's share of the callers and sends its counts. */
const run = async ({ options, process: index }: Begin, signal: AbortSignal): Promise<void> => {
  const { nodes, apiKeys, path, processes, timeoutMs, maxConnections } = options
  const connectionsPerNode = Math.floor(maxConnections / (processes * nodes.length))
  const client = createHttpClient({ nodes, path, timeoutMs, connectionsPerNode })
  const tally = createTally(nodes.length, apiKeys.length)
  const progress = setInterval(() => send({ type: 'progress', total: tally.total() }), PROGRESS_EVERY_MS)
  const elapsedMs = await runCallers({
    ...options,
    client,
    tally,
    nodes: nodes.length,
    payloads: createPayloads(options),
    process: index,
    random: Math.random,
    signal,
  })
  clearInterval(progress)
  send({ type: 'ended', counts: tally.counts(), elapsedMs })
}

const stopping = new AbortController()
// a Ctrl-C in the terminal also reaches this process, but its parent stops it
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit(1))
process.on('message', async (command: LoadCommand) => {
  if (command.type === 'stop') return stopping.abort()
  await run(command, stopping.signal)
  process.disconnect()
})
send({ type: 'ready' })
