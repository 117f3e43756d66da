import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { runCommandLine } from '../bin/command-line/command-line.ts'
import { DEFAULT_ENDPOINT } from './emulator.ts'
import { runCommand, ScriptError } from './run-command.ts'

const VERSION = '1.5.33'
const VENV = fileURLToPath(new URL('../.venv', import.meta.url))
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 5_000

/** An AWS emulator that runs as a process of this machine, Lambdas included. */
export interface MiniStack {
  readonly endpoint: string
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>
  /** Ends it and everything it started. A second call does nothing. */
  stop(): Promise<void>
}

/** Installs MiniStack from PyPI into `.venv`, once. */
const install = async (): Promise<void> => {
  const stamp = join(VENV, 'ministack-version')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === VERSION) return
  console.log(`Installing MiniStack ${VERSION} into .venv`)
  await runCommand('python3', ['-m', 'venv', VENV])
  await runCommand(join(VENV, 'bin', 'pip'), ['install', '--quiet', `ministack==${VERSION}`])
  writeFileSync(stamp, VERSION)
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new ScriptError('no free port')
  return address.port
}

/** Waits until it answers. Throws `ScriptError` with the end of its log where it ends first, or takes too long. */
const untilReady = async (endpoint: string, child: ChildProcess, log: string): Promise<void> => {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (child.exitCode === null && Date.now() < deadline) {
    const answer = await fetch(`${endpoint}/_localstack/health`).catch(() => undefined)
    if (answer?.ok) return
    await wait(100)
  }
  throw new ScriptError(`MiniStack did not start:\n${readFileSync(log, 'utf8').slice(-2_000)}`)
}

/** The emulator and its Lambdas are one group of processes, led by the one that was started here. */
const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has ended already.
  }
}

/** Starts MiniStack on loopback; without `port`, on a free one. */
export const startMiniStack = async (port?: number): Promise<MiniStack> => {
  await install()
  const chosen = port ?? (await freePort())
  const endpoint = `http://localhost:${chosen}`
  const directory = await mkdtemp(join(tmpdir(), 'zael-ministack-'))
  const log = join(directory, 'ministack.log')
  const output = openSync(log, 'w')
  const child = spawn(join(VENV, 'bin', 'ministack'), {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, GATEWAY_PORT: String(chosen), BIND_HOST: '127.0.0.1', TMPDIR: directory },
  })
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    signalGroup(child, 'SIGTERM')
    await Promise.race([ended, wait(STOP_TIMEOUT_MS, undefined, { ref: false })])
    signalGroup(child, 'SIGKILL')
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await untilReady(endpoint, child, log)
  } catch (error) {
    await stop()
    throw error
  }
  return { endpoint, ended, stop }
}

const HELP = `npm run ministack

Starts MiniStack, an AWS emulator that needs no Docker, on the port of AWS_ENDPOINT_URL (default: ${DEFAULT_ENDPOINT}). The first
start installs it into .venv, which needs Python 3. Ctrl-C ends it.`

const portOf = (endpoint: string): number => {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url?.protocol !== 'http:') {
    throw new ScriptError(`AWS_ENDPOINT_URL must be a URL that begins with http://, not ${endpoint}`)
  }
  return Number(url.port || 80)
}

const main = async (): Promise<void> => {
  const port = portOf(process.env.AWS_ENDPOINT_URL || DEFAULT_ENDPOINT)
  const ministack = await startMiniStack(port)
  console.log(`MiniStack answers at ${ministack.endpoint}. Now, in another terminal: npm run deploy:local`)
  process.once('SIGINT', ministack.stop).once('SIGTERM', ministack.stop)
  await ministack.ended
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runCommandLine({ command: 'npm run ministack', help: HELP, options: {} }, main)
}
